import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
const CONTRACT = join(ROOT, '../openapi.json');

it('the types are those of the contract (npm run api writes them anew)', () => {
	expect(existsSync(CONTRACT)).toBe(true);
	const program = join(createRequire(import.meta.url).resolve('openapi-typescript/package.json'), '../bin/cli.js');
	const fresh = execFileSync(process.execPath, [program, CONTRACT], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
	expect(readFileSync(join(ROOT, 'src/lib/api/schema.ts'), 'utf8').trim()).toBe(fresh.trim());
});
