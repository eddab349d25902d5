const MAC = typeof navigator !== 'undefined' && /Mac|iP(hone|ad)/.test(navigator.userAgent);

/** How a key is written for people: `Mod+k` is `⌘K` on a Mac and `Ctrl+K` elsewhere. */
export function showKey(key: string, mac: boolean = MAC): string {
	if (key.includes(' ') && key !== ' ') return key.split(' ').map((part) => showKey(part, mac)).join(' ');
	const parts = key === '+' ? ['+'] : key.split('+');
	return parts
		.map((part) => {
			if (part === 'Mod') return mac ? '⌘' : 'Ctrl';
			if (part === ' ') return 'Space';
			if (part === 'ArrowDown') return '↓';
			if (part === 'ArrowUp') return '↑';
			if (part === 'ArrowLeft') return '←';
			if (part === 'ArrowRight') return '→';
			if (part === 'Escape') return 'Esc';
			return part.length === 1 ? part.toUpperCase() : part;
		})
		.join(mac && parts[0] === 'Mod' ? '' : '+');
}
