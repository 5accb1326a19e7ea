import { expect, it, vi } from 'vitest';
import * as parser from '../../host/parser.js';
import {
  addEslintIgnore,
  addModuleImport,
  addSetupCall,
  mountInApp,
  mountInLayout,
} from './index.js';

it('says what to paste where the parser cannot be loaded', () => {
  vi.spyOn(parser, 'loadParser').mockReturnValue(null);
  const wanted = { symbol: 'Ours', from: './ours' };
  const edits = [addModuleImport, addSetupCall, mountInLayout, mountInApp].map((edit) =>
    edit('', wanted),
  );
  for (const edit of [...edits, addEslintIgnore('', '.nx-realtime/**')]) {
    expect(edit).toMatchObject({ kind: 'unable', reason: expect.stringContaining('parser') });
  }
});
