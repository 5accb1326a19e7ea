import { createHost, installPlugin, type Host } from './support/host';

const REALTIME = 'apps/api-gateway/src/realtime';
const DOMAIN = `${REALTIME}/chats/chats.domain.json`;
const GATEWAY = `${REALTIME}/chats/chats.gateway.ts`;
const SERVICE = `${REALTIME}/chats/chats.service.ts`;
const SPEC = `${REALTIME}/chats/chats.gateway.spec.ts`;
const MAIN = 'apps/api-gateway/src/main.ts';
const BASE = `.nx-realtime/base/${REALTIME}/guards/ws-auth.guard.ts.base`;
const CHECK = 'npx nx run api-gateway:realtime-check';

describe('the check of a workspace', () => {
  let host: Host;

  beforeAll(async () => {
    host = await createHost('integrated', 'check');
    await installPlugin(host);
    await host.run(`npx nx g realtime-domain Chat --clientEvents='say{text}'`);
    host.commit('Generate Chat');
  });

  function edit(file: string, from: string | RegExp, to: string): void {
    const text = host.read(file);
    const next = text.replace(from, to);
    expect(next).not.toBe(text);
    host.write(file, next);
  }

  it('is green right after generating, and with edits and another Prettier configuration', async () => {
    edit(SERVICE, /$/, '\n// Mine.\n');
    host.write('.prettierrc', '{ "singleQuote": false, "printWidth": 120, "useTabs": true }\n');
    const before = host.status();
    expect(await host.run(CHECK)).toContain('Realtime code is up to date (1 domain).');
    expect(host.status()).toEqual(before);
    host.git('reset', '--hard', '--quiet');
  });

  it('tells each thing that is wrong, fails, writes nothing but reports, and annotates', async () => {
    edit(DOMAIN, '"clientEvents": {', '"clientEvents": { "chat.leave": { "payload": {} },');
    edit(GATEWAY, 'export class', '<<<<<<< yours\nexport class');
    edit(MAIN, /.*setupRealtime\(app\);\n/, '');
    edit('nx.json', '"@nx-realtime/plugin:sync"', '');
    edit(BASE, /$/, '// By git.\n');
    await host.run(`rm ${SPEC}`);
    const before = host.status();
    const { code, output } = await host.tryRun(`${CHECK} --sarif=../check.sarif`, {
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: host.root,
    });
    expect(code).toBe(1);
    for (const finding of [
      `domain-changed  ${DOMAIN}`,
      `domain-changed  ${SERVICE}`,
      `conflict-markers  ${GATEWAY}:`,
      `domain-changed  ${MAIN}`,
      'sync-not-registered  nx.json',
      `base-mismatch  ${REALTIME}/guards/ws-auth.guard.ts`,
      `file-missing  ${SPEC}`,
    ]) {
      expect(output).toContain(finding);
    }
    expect(output).toMatch(new RegExp(`^::error file=${GATEWAY},line=\\d+,title=`, 'm'));
    expect(host.read('../check.sarif')).toContain('"ruleId": "conflict-markers"');
    expect(host.status()).toEqual(before);
  });

  it('is green again after what it says', async () => {
    host.git('checkout', '--quiet', '--', GATEWAY, BASE);
    for (const command of [
      'nx g @nx-realtime/plugin:init',
      `nx g realtime-domain Chat --forget=${SPEC}`,
      'nx sync',
    ]) {
      await host.run(`npx ${command}`);
    }
    const output = await host.run(CHECK);
    expect(output).toContain(`deletion-recorded (info)  ${SPEC}`);
    expect(output).toContain('Realtime code is up to date');
    expect(host.read(MAIN)).toContain('await setupRealtime(app);');
    host.commit('As it should be');
  });

  it('fails on a change of the contract that breaks somebody, and on that alone', async () => {
    edit(DOMAIN, '"text": "string"', '"text": "string", "mood?": "string"');
    await host.run('npx nx sync');
    expect(await host.run(`${CHECK} --against=HEAD`)).toContain('contract-changed (info)');
    edit(DOMAIN, '"text": "string"', '"text": "uuid"');
    await host.run('npx nx sync');
    await host.run(CHECK);
    const { code, output } = await host.tryRun(`${CHECK} --against=HEAD`);
    expect(code).toBe(1);
    expect(output).toMatch(
      /"text" of "chat\.say" was string, is uuid: clients that send .* refused/,
    );
    const unknown = await host.tryRun(`${CHECK} --against=nowhere`);
    expect(unknown.code).toBe(1);
    expect(unknown.output).toContain('RT071 --against=nowhere: git knows no commit by this name.');
  });
});
