import { expect, it, vi } from 'vitest';
import {
  addEslintIgnore,
  addModuleImport,
  addSetupCall,
  mountInApp,
  mountInLayout,
} from './index.js';

vi.mock('../../host/parser.js', () => ({ loadParser: () => null }));

it('says what to paste where the parser cannot be loaded', () => {
  const wanted = { symbol: 'Ours', from: './ours' };
  const edits = [addModuleImport, addSetupCall, mountInLayout, mountInApp].map((edit) =>
    edit('', wanted),
  );
  for (const edit of [...edits, addEslintIgnore('', '.nx-realtime/**')]) {
    expect(edit).toMatchObject({ kind: 'unable', reason: expect.stringContaining('parser') });
  }
});
