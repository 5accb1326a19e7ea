import { createHost, installPlugin, type Host } from './support/host';

const CASES: readonly (readonly [
  mistake: string,
  command: string,
  code: string,
  mentions: string,
])[] = [
  ['a name that is no identifier', `realtime-domain '../etc'`, 'RT001', '../etc'],
  ['an unclosed event', `realtime-domain Order --serverEvents='created{id'`, 'RT002', 'created{id'],
  ['an unknown type', `realtime-domain Order --serverEvents='created{id:text}'`, 'RT003', 'text'],
  ['a field twice', `realtime-domain Order --clientEvents='pay{id,id}'`, 'RT004', '"id"'],
  ['the root namespace', `realtime-domain Order --namespace=/`, 'RT005', '"/"'],
  [
    'a tenant in a client event',
    `realtime-domain Order --clientEvents='pay{tenantId}'`,
    'RT007',
    'token',
  ],
  [
    'a file that is not there',
    `realtime-domain Order --from=missing.json`,
    'RT009',
    'missing.json',
  ],
  ['an app that is not there', `realtime-domain Order --app=shop`, 'RT010', 'api-gateway'],
  ['an app of another kind', `realtime-domain Order --web=api-gateway`, 'RT012', 'Found: web'],
];

describe('a mistake on the command line', () => {
  let host: Host;

  beforeAll(async () => {
    host = await createHost('integrated', 'bad-input');
    await installPlugin(host);
    host.commit('Add the plugin');
  });

  it.each(CASES)('%s: says so and changes nothing', async (_mistake, command, code, mentions) => {
    const { code: exitCode, output } = await host.tryRun(`npx nx g ${command}`);
    expect(exitCode).not.toBe(0);
    expect(output).toContain(code);
    expect(output).toContain(mentions);
    expect(output).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
    expect(host.status()).toEqual([]);
  });

  it('refuses a flag that does not exist', async () => {
    const { code, output } = await host.tryRun('npx nx g realtime-domain Order --serverEvent=x');
    expect(code).not.toBe(0);
    expect(output).toContain('serverEvent');
    expect(host.status()).toEqual([]);
  });

  it('does not overwrite a file that it never wrote', async () => {
    const file = 'apps/api-gateway/src/realtime/orders/orders.gateway.ts';
    host.write(file, 'export const mine = true;\n');
    host.commit('A file of the owner');
    const { code, output } = await host.tryRun('npx nx g realtime-domain Order');
    expect(code).not.toBe(0);
    expect(output).toMatch(/RT\d{3}/);
    expect(output).toContain(file);
    expect(host.status()).toEqual([]);
  });

  it('writes nothing on a dry run', async () => {
    const output = await host.run('npx nx g realtime-domain Invoice --dry-run');
    expect(output).toContain('invoices.gateway.ts');
    expect(host.status()).toEqual([]);
  });
});
