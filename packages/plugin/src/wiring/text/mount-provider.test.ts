import { describe, expect, it } from 'vitest';
import { EMPTY_APP, mountInApp, mountInLayout, mountInMain } from './index.js';
import { REACT_MAIN } from '../../../test/support/host-tree.js';
import { crlf, doneTwice } from '../../../test/support/wiring-edits.js';

const WANTED = {
  symbol: 'NotificationsProvider',
  from: '../features/notifications/realtime/notifications-provider',
};
const OURS = `import { NotificationsProvider } from '${WANTED.from}';\n`;
const TAG = '<NotificationsProvider />';

const layout = (body: string): string =>
  `import './global.css';\n\nexport default function RootLayout({ children }: { children: React.ReactNode }) {\n  return (\n    <html lang="en">\n${body}    </html>\n  );\n}\n`;
const inLayout = (text: string) => mountInLayout(text, WANTED);
const inMain = (text: string) => mountInMain(text, WANTED);
const inApp = (text: string) => mountInApp(text, WANTED);

describe('mountInLayout', () => {
  it.each<[string, string, string]>([
    [
      'children in one line',
      '      <body>{children}</body>\n',
      `      <body>\n        {children}\n        ${TAG}\n      </body>\n`,
    ],
    [
      'attributes',
      '      <body className={`${sans.variable} antialiased`}>{children}</body>\n',
      `      <body className={\`\${sans.variable} antialiased\`}>\n        {children}\n        ${TAG}\n      </body>\n`,
    ],
    [
      'children in a line of their own',
      '      <body>\n        {children}\n      </body>\n',
      `      <body>\n        {children}\n        ${TAG}\n      </body>\n`,
    ],
    [
      'providers around the children',
      '      <body>\n        <Providers>\n          <Nav />\n          {children}\n        </Providers>\n      </body>\n',
      `      <body>\n        <Providers>\n          <Nav />\n          {children}\n        </Providers>\n        ${TAG}\n      </body>\n`,
    ],
    [
      'providers in one line',
      '      <body><Providers>{children}</Providers></body>\n',
      `      <body>\n        <Providers>{children}</Providers>\n        ${TAG}\n      </body>\n`,
    ],
    [
      'conditions among the children',
      '      <body>\n        {dev ? <Bar /> : null}\n        {children}\n      </body>\n',
      `      <body>\n        {dev ? <Bar /> : null}\n        {children}\n        ${TAG}\n      </body>\n`,
    ],
    [
      'a comment at the end',
      '      <body>\n        {children}\n        {/* end */}\n      </body>\n',
      `      <body>\n        {children}\n        {/* end */}\n        ${TAG}\n      </body>\n`,
    ],
    [
      'text beside the children',
      '      <body>Hi {children}</body>\n',
      `      <body>Hi {children}${TAG}</body>\n`,
    ],
    ['no children', '      <body></body>\n', `      <body>\n        ${TAG}\n      </body>\n`],
    [
      'a head, and a body with a wide indentation',
      '      <head />\n      <body>\n            {children}\n      </body>\n',
      `      <head />\n      <body>\n            {children}\n            ${TAG}\n      </body>\n`,
    ],
  ])('mounts it last in a body with %s', (_, before, after) => {
    const expected = layout(after).replace("css';\n", `css';\n${OURS}`);
    expect(doneTwice(layout(before), inLayout, 'tsx')).toBe(expected);
    expect(doneTwice(crlf(layout(before)), inLayout, 'tsx')).toBe(crlf(expected));
  });

  it('keeps tabs', () => {
    const text =
      "import './a.css'\nexport default ({ children }) => (\n\t<html>\n\t\t<body>{children}</body>\n\t</html>\n)\n";
    expect(doneTwice(text, inLayout, 'tsx')).toBe(
      `import './a.css'\n${OURS.replace(';', '')}export default ({ children }) => (\n\t<html>\n\t\t<body>\n\t\t\t{children}\n\t\t\t${TAG}\n\t\t</body>\n\t</html>\n)\n`,
    );
  });

  it.each<[string, string, string]>([
    ['no imports', '', OURS],
    ["'use client'", "'use client';\n\n", `'use client';\n${OURS}\n`],
    [
      'a type import',
      "import type { Metadata } from 'next';\n",
      `import type { Metadata } from 'next';\n${OURS}`,
    ],
    [
      'an import over lines',
      "import {\n  Inter,\n  Mono,\n} from 'next/font';\n",
      `import {\n  Inter,\n  Mono,\n} from 'next/font';\n${OURS}`,
    ],
  ])('adds its import to a file with %s', (_, before, after) => {
    const rest =
      'export default function Root({ children }) {\n  return <html><body>{children}</body></html>;\n}\n';
    const result = doneTwice(before + rest, inLayout, 'tsx');
    expect(result.startsWith(`${after}export default`)).toBe(true);
  });

  it.each<[string, string]>([
    [
      'an async layout that awaits its params',
      'export default async function Root({ children, params }: Props) {\n  const { locale } = await params;\n  return (\n    <html lang={locale}>\n      <body>\n        @\n      </body>\n    </html>\n  );\n}\n',
    ],
    [
      'a constant arrow function that is exported below',
      'const Root: FC<Props> = (props) => (\n  <html>\n    <body>\n      @\n    </body>\n  </html>\n);\n\nexport default Root;\n',
    ],
    [
      'a function in a call, in a fragment',
      'export default withTheme(function Root(props) {\n  return (\n    <>\n      <html>\n        <body>\n          @\n        </body>\n      </html>\n    </>\n  );\n});\n',
    ],
    [
      'providers around html',
      'export default ({ children }) => (\n  <Theme>\n    <html>\n      <body>\n        @\n      </body>\n    </html>\n  </Theme>\n);\n',
    ],
  ])('mounts it in %s', (_, shape) => {
    for (const children of ['{children}', '{props.children}', '<Shell>{children}</Shell>']) {
      const indent = /( *)@/.exec(shape)![1]!;
      const expected = OURS + shape.replace('@', `${children}\n${indent}${TAG}`);
      expect(doneTwice(shape.replace('@', children), inLayout, 'tsx')).toBe(expected);
    }
  });

  it('makes no client component of a server component', () => {
    expect(doneTwice(layout('      <body>{children}</body>\n'), inLayout, 'tsx')).not.toContain(
      'use client',
    );
  });

  it.each<[string, string]>([
    ['no body', layout('      {children}\n')],
    ['a body that closes itself', layout('      <body />\n')],
    [
      'a body with its children in an attribute',
      layout('      <body children={children}></body>\n'),
    ],
    ['a body of raw HTML', layout('      <body dangerouslySetInnerHTML={html}></body>\n')],
    [
      'two bodies',
      'export default () => dark ? <html><body>{a}</body></html> : <html><body>{b}</body></html>;\n',
    ],
    ['a syntax error', 'export default () => <html><body></html>;\n'],
  ])('leaves %s alone, and says what to paste where', (_, text) => {
    expect(inLayout(text)).toEqual({
      kind: 'unable',
      snippet: `${OURS}\n{/* as the last child of <body> */}\n${TAG}`,
      reason: expect.stringMatching(/./),
    });
  });

  it.each<[string, string]>([
    ['in the body', WANTED.from],
    ['by a path alias', '@/features/notifications/realtime/notifications-provider'],
  ])('does nothing where it is mounted already, %s', (_, from) => {
    const text = `import { NotificationsProvider } from '${from}';\n${layout(`      <body>\n        <Shell>\n          {children}\n          ${TAG}\n        </Shell>\n      </body>\n`)}`;
    expect(inLayout(text)).toEqual({ kind: 'already' });
  });

  it("mounts ours beside the owner's of the same name", () => {
    const text = `import { NotificationsProvider } from './toasts';\n${layout('      <body>\n        <NotificationsProvider>{children}</NotificationsProvider>\n      </body>\n')}`;
    const result = doneTwice(text, inLayout, 'tsx');
    expect(result).toContain(
      `import { NotificationsProvider as RealtimeNotificationsProvider } from '${WANTED.from}';\n`,
    );
    expect(result).toContain(
      '</NotificationsProvider>\n        <RealtimeNotificationsProvider />\n',
    );
  });

  it('mounts a second domain after the first', () => {
    const first = doneTwice(layout('      <body>{children}</body>\n'), inLayout, 'tsx');
    const second = doneTwice(
      first,
      (text) => mountInLayout(text, { symbol: 'ChatsProvider', from: '../chats' }),
      'tsx',
    );
    expect(second).toContain(`        ${TAG}\n        <ChatsProvider />\n      </body>`);
  });
});

describe('mountInApp', () => {
  const app = (body: string): string =>
    `import type { AppProps } from 'next/app';\n\nexport default function App({ Component, pageProps }: AppProps) {\n  ${body}\n}\n`;

  it.each<[string, string, string]>([
    [
      'it stands alone',
      'return <Component {...pageProps} />;',
      `return (\n    <>\n      <Component {...pageProps} />\n      ${TAG}\n    </>\n  );`,
    ],
    [
      'it stands alone in parentheses',
      'return (\n    <Component {...pageProps} />\n  );',
      `return (\n    <>\n      <Component {...pageProps} />\n      ${TAG}\n    </>\n  );`,
    ],
    [
      'it is in a fragment',
      'return (\n    <>\n      <Component {...pageProps} />\n    </>\n  );',
      `return (\n    <>\n      <Component {...pageProps} />\n      ${TAG}\n    </>\n  );`,
    ],
    [
      'it is in an element',
      'return <main><Component {...pageProps} /></main>;',
      `return <main><Component {...pageProps} />${TAG}</main>;`,
    ],
    [
      'a component takes it as its one child',
      'return (\n    <Provider>\n      <Component {...pageProps} />\n    </Provider>\n  );',
      `return (\n    <Provider>\n      <>\n        <Component {...pageProps} />\n        ${TAG}\n      </>\n    </Provider>\n  );`,
    ],
    [
      'a layout takes it as an argument',
      'return getLayout(<Component {...pageProps} />);',
      `return getLayout(<>\n    <Component {...pageProps} />\n    ${TAG}\n  </>);`,
    ],
  ])('mounts it where %s', (_, before, after) => {
    const expected = app(after).replace("app';\n", `app';\n${OURS}`);
    expect(doneTwice(app(before), inApp, 'tsx')).toBe(expected);
    expect(doneTwice(crlf(app(before)), inApp, 'tsx')).toBe(crlf(expected));
  });

  it('leaves alone what renders no page, or several', () => {
    const snippet = `${OURS}\n{/* beside <Component {...pageProps} /> */}\n${TAG}`;
    expect(inApp(app('return null;'))).toMatchObject({ kind: 'unable', snippet });
    expect(inApp(app('return a ? <Component /> : <Component b />;'))).toMatchObject({
      kind: 'unable',
      snippet,
    });
  });

  it('mounts it in a class, and where the props are not taken apart', () => {
    expect(
      doneTwice(
        app('return <props.Component {...props.pageProps} />;').replace(
          '{ Component, pageProps }',
          'props',
        ),
        inApp,
        'tsx',
      ),
    ).toContain(`<props.Component {...props.pageProps} />\n      ${TAG}\n`);
    const text =
      'export default class MyApp extends App {\n  render() {\n    const { Component, pageProps } = this.props;\n    return <Component {...pageProps} />;\n  }\n}\n';
    expect(doneTwice(text, inApp, 'tsx')).toContain(
      `<Component {...pageProps} />\n        ${TAG}\n`,
    );
  });

  it('mounts it in what Next.js uses where there is none', () => {
    expect(doneTwice(EMPTY_APP, inApp, 'tsx')).toBe(
      `import type { AppProps } from 'next/app';\n${OURS}\nexport default function App({ Component, pageProps }: AppProps) {\n  return (\n    <>\n      <Component {...pageProps} />\n      ${TAG}\n    </>\n  );\n}\n`,
    );
  });
});

describe('mountInMain', () => {
  const main = (body: string): string => `import App from './app';\n\n${body}\n`;

  it('mounts it as @nx/react writes the file', () => {
    const expected = REACT_MAIN.replace("app';\n", `app';\n${OURS}`).replace(
      '<App/>\n',
      `<App/>\n    ${TAG}\n`,
    );
    expect(doneTwice(REACT_MAIN, inMain, 'tsx')).toBe(expected);
    expect(doneTwice(crlf(REACT_MAIN), inMain, 'tsx')).toBe(crlf(expected));
  });

  it.each<[string, string, string]>([
    [
      'an element alone',
      'createRoot(node).render(<App />);',
      `createRoot(node).render(<>\n  <App />\n  ${TAG}\n</>);`,
    ],
    [
      'an element alone, in a line of its own',
      'createRoot(node).render(\n  <App />,\n);',
      `createRoot(node).render(\n  <>\n    <App />\n    ${TAG}\n  </>,\n);`,
    ],
    [
      'a provider, which may take one child alone',
      'root.render(\n  <Router>\n    <App />\n  </Router>,\n);',
      `root.render(\n  <>\n    <Router>\n    <App />\n  </Router>\n    ${TAG}\n  </>,\n);`,
    ],
    [
      'a strict mode in one line',
      'root.render(<React.StrictMode><App /></React.StrictMode>);',
      `root.render(<React.StrictMode>\n  <App />\n  ${TAG}\n</React.StrictMode>);`,
    ],
    [
      'a fragment',
      'root.render(\n  <>\n    <App />\n  </>,\n);',
      `root.render(\n  <>\n    <App />\n    ${TAG}\n  </>,\n);`,
    ],
    [
      'what is hydrated',
      'hydrateRoot(\n  node,\n  <StrictMode>\n    <App />\n  </StrictMode>,\n);',
      `hydrateRoot(\n  node,\n  <StrictMode>\n    <App />\n    ${TAG}\n  </StrictMode>,\n);`,
    ],
  ])('mounts it in %s', (_, before, after) => {
    const expected = main(after).replace("app';\n", `app';\n${OURS}`);
    expect(doneTwice(main(before), inMain, 'tsx')).toBe(expected);
  });

  it.each<[string, string]>([
    ['nothing is rendered', 'boot(App);'],
    ['a variable is rendered', 'root.render(element);'],
    ['something is rendered in two places', 'a.render(<App />);\nb.render(<App />);'],
  ])('leaves it alone where %s', (_, text) => {
    expect(inMain(main(text))).toMatchObject({
      kind: 'unable',
      snippet: `${OURS}\n{/* in what is rendered, beside <App /> */}\n${TAG}`,
    });
  });
});
