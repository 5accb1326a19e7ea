import type { Kernel } from './versions.js';

/** Unit test runner of a project; `none` when it has no runner that we know. */
export type TestRunner = 'jest' | 'vitest' | 'none';

/** Facts of a Nest app that generated code depends on. Paths are relative to the workspace's root. */
export interface AppFacts {
  readonly name: string;
  readonly shortName: string;
  readonly root: string;
  readonly sourceRoot: string;
  /** Folder of everything that is generated: `<sourceRoot>/realtime` */
  readonly realtimeRoot: string;
  readonly main: string;
  /** The module that main.ts boots; null when it was not found. */
  readonly module: string | null;
  /** True when relative imports need an extension. */
  readonly esm: boolean;
  readonly testRunner: TestRunner;
}

/** An app that publishes the events of every domain. */
export interface PublisherFacts extends AppFacts {
  readonly skipTests: boolean;
}

/**
 * A file of the host that wraps every page: a root layout of an app router, `_app` of a pages
 * router, or the module that renders a React app into its page.
 */
export interface WebEntry {
  readonly path: string;
  readonly kind: 'layout' | '_app' | 'main';
}

/** Facts of a Next.js app, or of a React app that Vite builds, that generated code depends on. */
export interface WebFacts {
  readonly name: string;
  readonly shortName: string;
  readonly root: string;
  readonly sourceRoot: string;
  readonly framework: 'next' | 'vite';
  /** The target that serves it in development. */
  readonly devTarget: string;
  /** Origin of its pages in development: `http://localhost:3000` */
  readonly origin: string;
  /** At least one; a `_app` may not exist yet. */
  readonly entries: readonly WebEntry[];
  /** Major of Next.js; null in a React app. */
  readonly nextMajor: number | null;
  /** True if routes are elements in code, those of react-router. */
  readonly reactRouter: boolean;
  readonly testRunner: TestRunner;
}

/** The shared library; it may not exist yet. */
export interface ContractsFacts {
  readonly name: string;
  readonly root: string;
  readonly exists: boolean;
  /** `@acme/realtime-contracts`; a domain's contract is one subpath of it. */
  readonly importPath: string;
  /**
   * File names of the contracts that import all of zod, because their owners chain its methods. Others
   * import `zod/mini`, of which a browser gets what is used alone.
   */
  readonly chained: ReadonlySet<string>;
}

/** Facts detected in the user's workspace. */
export interface HostFacts {
  /** True: package-manager workspaces and project references. False: paths in tsconfig.base.json. */
  readonly solution: boolean;
  /** The root tsconfig that holds `paths`, in a workspace without package-manager workspaces. */
  readonly baseTsconfig: string;
  /** File name of the root's flat config; null when the workspace does not lint. */
  readonly eslintConfig: string | null;
  /** The host's range of @nestjs/core, and its major. */
  readonly nest: { readonly range: string; readonly major: number };
  readonly apps: ReadonlyMap<string, AppFacts>;
  readonly webs: ReadonlyMap<string, WebFacts>;
  /** Apps with a `realtime.publisher.json`. */
  readonly publishers: readonly PublisherFacts[];
  readonly contracts: ReadonlyMap<string, ContractsFacts>;
  /** Folder of the library of each kernel whose sources the workspace owns. */
  readonly ejected: ReadonlyMap<Kernel, string>;
}
