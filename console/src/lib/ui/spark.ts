export interface Spark {
	path: string;
	/** The middle half of the values: what is usual. */
	band: { y: number; height: number };
	low: number;
	high: number;
	last: number;
	/** Where nothing came after something had come. */
	gaps: { x: number; width: number }[];
}

/** The drawing of a row of counts, oldest first. */
export function sparkOf(values: readonly number[], width: number, height: number): Spark {
	const list = values.length === 0 ? [0] : values;
	const most = Math.max(1, ...list);
	const step = list.length > 1 ? width / (list.length - 1) : width;
	const y = (value: number): number => round(height - 2 - (value / most) * (height - 4));
	const path = list.map((value, index) => `${index === 0 ? 'M' : 'L'}${round(index * step)} ${y(value)}`).join('');
	const alive = list.filter((value) => value > 0).sort((a, b) => a - b);
	const at = (share: number): number => alive[Math.floor(share * (alive.length - 1))] ?? 0;
	const low = at(0.25);
	const high = at(0.75);
	const gaps: Spark['gaps'] = [];
	let begun = false;
	list.forEach((value, index) => {
		if (value > 0) begun = true;
		else if (begun) {
			const last = gaps[gaps.length - 1];
			const x = round(index * step - step / 2);
			if (last && Math.abs(last.x + last.width - x) < 0.2) last.width = round(last.width + step);
			else gaps.push({ x, width: round(step) });
		}
	});
	return { path, band: { y: y(high), height: round(y(low) - y(high)) }, low, high, last: list[list.length - 1] ?? 0, gaps };
}

const round = (value: number): number => Math.round(value * 10) / 10;
