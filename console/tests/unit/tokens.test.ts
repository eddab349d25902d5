import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('../../src/styles/tokens.css', import.meta.url), 'utf8');

/** The declarations of the block that begins with the given selector. */
function block(start: string): Map<string, string> {
	const at = css.indexOf(start);
	if (at < 0) throw new Error(`no block ${start}`);
	const body = css.slice(css.indexOf('{', at) + 1, css.indexOf('}', at));
	return new Map([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

const THEMES = {
	light: block(":root,\n[data-theme='light']"),
	dark: block("[data-theme='dark'] {")
};

type Rgb = [number, number, number];

function rgb(hex: string): Rgb {
	const digits = hex.trim().slice(1);
	const wide = digits.length === 3 ? [...digits].map((digit) => digit + digit).join('') : digits;
	return [0, 2, 4].map((at) => parseInt(wide.slice(at, at + 2), 16) / 255) as Rgb;
}
const linear = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const gamma = (value: number): number => {
	const part = Math.min(1, Math.max(0, value));
	return part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055;
};
function luminance(color: Rgb): number {
	const [r, g, b] = color.map(linear) as Rgb;
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
	const [low, high] = [luminance(rgb(a)), luminance(rgb(b))].sort((x, y) => x - y) as [number, number];
	return (high + 0.05) / (low + 0.05);
}

/** Machado, Oliveira and Fernandes 2009, full severity, on linear light. */
const SIGHT: Record<string, number[][]> = {
	normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
	protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
	deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
	tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
};
function seen(color: Rgb, sight: string): Rgb {
	const light = color.map(linear);
	return (SIGHT[sight] ?? []).map((row) => gamma(row.reduce((sum, factor, index) => sum + factor * (light[index] ?? 0), 0))) as Rgb;
}
function lab(color: Rgb): Rgb {
	const [r, g, b] = color.map(linear) as Rgb;
	const f = (value: number): number => (value > 216 / 24389 ? Math.cbrt(value) : ((24389 / 27) * value + 16) / 116);
	const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
	const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
	const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
	return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
/** CIEDE2000. */
function difference(first: Rgb, second: Rgb): number {
	const [l1, a1, b1] = lab(first);
	const [l2, a2, b2] = lab(second);
	const rad = Math.PI / 180;
	const mean = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
	const g = 0.5 * (1 - Math.sqrt(mean ** 7 / (mean ** 7 + 25 ** 7)));
	const [p1, p2] = [a1 * (1 + g), a2 * (1 + g)];
	const [c1, c2] = [Math.hypot(p1, b1), Math.hypot(p2, b2)];
	const hue = (b: number, a: number): number => (a === 0 && b === 0 ? 0 : (Math.atan2(b, a) / rad + 360) % 360);
	const [h1, h2] = [hue(b1, p1), hue(b2, p2)];
	let dh = h2 - h1;
	if (c1 * c2 === 0) dh = 0;
	else if (dh > 180) dh -= 360;
	else if (dh < -180) dh += 360;
	const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((dh / 2) * rad);
	const L = (l1 + l2) / 2;
	const C = (c1 + c2) / 2;
	let H = h1 + h2;
	if (c1 * c2 !== 0) H = Math.abs(h1 - h2) <= 180 ? H / 2 : H < 360 ? (H + 360) / 2 : (H - 360) / 2;
	const T = 1 - 0.17 * Math.cos((H - 30) * rad) + 0.24 * Math.cos(2 * H * rad) + 0.32 * Math.cos((3 * H + 6) * rad) - 0.2 * Math.cos((4 * H - 63) * rad);
	const sL = 1 + (0.015 * (L - 50) ** 2) / Math.sqrt(20 + (L - 50) ** 2);
	const sC = 1 + 0.045 * C;
	const sH = 1 + 0.015 * C * T;
	const rT = -Math.sin(2 * 30 * Math.exp(-(((H - 275) / 25) ** 2)) * rad) * 2 * Math.sqrt(C ** 7 / (C ** 7 + 25 ** 7));
	const [x, y, z] = [(l2 - l1) / sL, (c2 - c1) / sC, dH / sH];
	return Math.sqrt(x * x + y * y + z * z + rT * y * z);
}

const SURFACES = ['--bg', '--surface', '--sunken'];
const TEXT = ['--text', '--muted', '--accent', '--ok', '--warn', '--bad', '--provider', '--customer', '--both'];
const SHAPES = ['--edge', '--sev-critical', '--sev-high', '--sev-medium', '--sev-low', '--sev-info'];
const LEVELS = SHAPES.slice(1);

describe.each(Object.entries(THEMES))('the %s theme', (_name, theme) => {
	const value = (token: string): string => {
		const found = theme.get(token);
		if (!found) throw new Error(`no token ${token}`);
		return found;
	};
	it.each(TEXT)('%s can be read on every surface', (token) => {
		for (const surface of SURFACES) expect(contrast(value(token), value(surface)), surface).toBeGreaterThanOrEqual(4.5);
	});
	it.each(SHAPES)('%s can be seen on every surface', (token) => {
		for (const surface of SURFACES) expect(contrast(value(token), value(surface)), surface).toBeGreaterThanOrEqual(3);
	});
	it('text on filled controls and marks can be read', () => {
		expect(contrast(value('--on-accent'), value('--accent'))).toBeGreaterThanOrEqual(4.5);
		expect(contrast(value('--on-mark'), value('--mark'))).toBeGreaterThanOrEqual(4.5);
	});
	it.each(Object.keys(SIGHT))('levels can be told apart in %s sight', (sight) => {
		for (const [index, first] of LEVELS.entries()) {
			for (const second of LEVELS.slice(index + 1)) {
				const apart = difference(seen(rgb(value(first)), sight), seen(rgb(value(second)), sight));
				expect(apart, `${first} and ${second}`).toBeGreaterThanOrEqual(18);
			}
		}
	});
});

it('the two ways into the dark theme are one theme', () => {
	const bySystem = block(":root:not([data-theme])");
	expect(Object.fromEntries(bySystem)).toEqual(Object.fromEntries(THEMES.dark));
});

it('the measures themselves are right', () => {
	expect(contrast('#fff', '#000')).toBeCloseTo(21, 5);
	// Two pairs of the published test data for CIEDE2000 are in Lab; here the colours are sRGB, so only identity and symmetry.
	expect(difference(rgb('#a8181f'), rgb('#a8181f'))).toBe(0);
	expect(difference(rgb('#a8181f'), rgb('#264cca'))).toBeCloseTo(difference(rgb('#264cca'), rgb('#a8181f')), 9);
	expect(difference([1, 1, 1], [0, 0, 0])).toBeCloseTo(100, 1);
});
