import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Bucket } from '../api/types';
import type { Format } from '../format/format';

/** Draws the bars into `host`; `select` is told what a drag chose, in ms. Loaded only where a chart is shown. */
export function draw(host: HTMLElement, buckets: readonly Bucket[], format: Format, select: (from: number, to: number) => void): uPlot {
	const css = getComputedStyle(host);
	const token = (name: string): string => css.getPropertyValue(name).trim();
	const from = Date.parse(buckets[0]?.from ?? '') / 1000;
	const to = Date.parse(buckets[buckets.length - 1]?.to ?? '') / 1000;
	const middle = buckets.map((bucket) => (Date.parse(bucket.from) + Date.parse(bucket.to)) / 2000);
	const days = to - from > 172_800;
	const font = `11px ${token('--font') || 'sans-serif'}`;
	const axis = { stroke: token('--muted'), font, grid: { stroke: token('--line'), width: 1 }, ticks: { show: false } };
	return new uPlot(
		{
			width: host.clientWidth,
			height: 96,
			legend: { show: false },
			cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
			scales: { x: { time: true, range: () => [from, to] }, y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.08)] } },
			axes: [
				{ ...axis, size: 24, gap: 6, grid: { show: false }, values: (_plot, splits) => splits.map((split) => (days ? format.stamp(split * 1000, 'min').slice(5, 16) : format.clock(split * 1000))), space: days ? 90 : 60 },
				{ ...axis, size: 46, gap: 4, space: 28, values: (_plot, splits) => splits.map((split) => (Number.isInteger(split) ? format.compact(split) : '')) }
			],
			series: [
				{},
				{
					label: 'events',
					fill: token('--ramp-3'),
					stroke: token('--ramp-3'),
					width: 0,
					points: { show: false },
					paths: uPlot.paths.bars?.({ size: [0.86, 40], align: 0 })
				}
			],
			hooks: {
				setSelect: [
					(plot) => {
						const { left, width } = plot.select;
						if (width > 2) select(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000);
					}
				]
			}
		},
		[middle, buckets.map((bucket) => bucket.count)],
		host
	);
}
