import type { Verdict } from '../api/types';

/** In the order of the dialog, each with its letter. Reasons are offered by number; the catalogue has their text. */
export const VERDICTS: readonly { verdict: Verdict; letter: string; reasons: number }[] = [
	{ verdict: 'true_positive', letter: 't', reasons: 3 },
	{ verdict: 'benign_true_positive', letter: 'b', reasons: 4 },
	{ verdict: 'false_positive', letter: 'f', reasons: 3 },
	{ verdict: 'duplicate', letter: 'd', reasons: 1 },
	{ verdict: 'test', letter: 'e', reasons: 2 },
	{ verdict: 'undetermined', letter: 'u', reasons: 2 }
];
