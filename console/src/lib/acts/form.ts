import type { ActBody } from '../api/types';
import type { Ask } from './acts.svelte';

export interface FormProps {
	ask: Ask;
	busy: boolean;
	submit: (body: ActBody) => void;
	cancel: () => void;
}
