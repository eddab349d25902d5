import type { Level, Priority } from '../api/types';

export type Shape = 'diamond' | 'triangle' | 'square' | 'disc' | 'ring';

export const LEVELS: readonly Level[] = ['critical', 'high', 'medium', 'low', 'informational'];
export const PRIORITIES: readonly Priority[] = ['P1', 'P2', 'P3', 'P4'];

export const SHAPE: Record<Level | Priority, Shape> = {
	critical: 'diamond',
	high: 'triangle',
	medium: 'square',
	low: 'disc',
	informational: 'ring',
	P1: 'diamond',
	P2: 'triangle',
	P3: 'square',
	P4: 'disc'
};

export const TONE: Record<Level | Priority, 'critical' | 'high' | 'medium' | 'low' | 'info'> = {
	critical: 'critical',
	high: 'high',
	medium: 'medium',
	low: 'low',
	informational: 'info',
	P1: 'critical',
	P2: 'high',
	P3: 'medium',
	P4: 'low'
};
