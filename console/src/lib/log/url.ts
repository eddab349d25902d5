import { compose } from '../url/params';

export interface LogState {
	q: string;
}

export const readLog = (params: URLSearchParams): LogState => ({ q: params.get('q') ?? '' });
export const writeLog = (state: LogState): string => compose('/log', [['q', state.q]]);
