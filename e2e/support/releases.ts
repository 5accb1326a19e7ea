import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import {
  KERNELS_ARCHIVE,
  TEMPLATES_ARCHIVE,
  unpackTemplates,
} from '../../packages/plugin/src/render/archive';
import { removeAtExit } from './processes';
import { KEYS, type Tarballs } from './tarballs';

/** A set of packages as a registry has them: unpacked, to be patched into a release. */
export class Release {
  private constructor(private readonly root: string) {}

  /** The packages as they are. */
  static unpack(tarballs: Tarballs): Release {
    const release = new Release(temporary());
    for (const key of KEYS) {
      const folder = release.folder(key);
      mkdirSync(folder);
      execFileSync('tar', ['-xzf', tarballs[key], '-C', folder, '--strip-components=1']);
    }
    release.unpackTemplates();
    return release;
  }

  /** The next release, to be patched. Its migration is what a maintainer adds to migrations.json. */
  next(): Release {
    const release = new Release(temporary());
    cpSync(this.root, release.root, { recursive: true });
    const [major, minor] = this.version.split('.');
    const version = `${major}.${Number(minor) + 1}.0`;
    for (const key of KEYS) {
      rmSync(join(release.folder(key), '.npmrc'), { force: true });
      release.json('package.json', (json) => ({ ...json, version }), key);
    }
    release.json('migrations.json', (json) => ({
      ...json,
      generators: {
        ...(json['generators'] as object),
        [`update-generated-code-${version}`]: {
          version,
          description: 'Merges the templates of this release into the generated code.',
          implementation: './dist/migrations/update-generated-code',
        },
      },
    }));
    return release;
  }

  /** The folders to be published. */
  get folders(): string[] {
    return KEYS.map((key) => this.folder(key));
  }

  /** Puts a package where it is installed, as someone has it who did not install again. */
  place(key: keyof Tarballs, installed: string): void {
    rmSync(installed, { recursive: true });
    cpSync(this.folder(key), installed, { recursive: true });
  }

  get version(): string {
    return (JSON.parse(this.read('package.json')) as { version: string }).version;
  }

  /** Paths below `templates/`, without data and the kernels' sources. */
  get templates(): string[] {
    const root = join(this.folder('plugin'), 'templates');
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:tsx?|ejs)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .filter((path) => !path.startsWith('kernels/'));
  }

  private folder(key: keyof Tarballs): string {
    return join(this.root, key);
  }

  read(file: string, key: keyof Tarballs = 'plugin'): string {
    return readFileSync(join(this.folder(key), file), 'utf8');
  }

  /** Changes one template, or fails. */
  patch(template: string, change: (text: string) => string): void {
    this.patchFile('plugin', `templates/${template}`, change);
  }

  /** Changes one file of a package, or fails. */
  patchFile(key: keyof Tarballs, file: string, change: (text: string) => string): void {
    const text = this.read(file, key);
    const next = change(text);
    if (next === text) throw new Error(`${file} is as it was`);
    writeFileSync(join(this.folder(key), file), next);
  }

  /** Gives a template another name, also where others import it. */
  rename(template: string, to: string): void {
    const stem = (path: string): string => path.split('/').slice(1).join('/').replace(/\.ts$/, '');
    const [old, now] = [stem(template), stem(to)].map((path) => path.split('/').at(-1) ?? '');
    const templates = join(this.folder('plugin'), 'templates');
    renameSync(join(templates, template), join(templates, to));
    this.json('templates/renames.json', (json) => ({ ...json, [template]: to }));
    for (const path of this.templates) {
      const text = this.read(`templates/${path}`);
      const next = text.replaceAll(new RegExp(`(from '[./a-z]*/)${old}'`, 'g'), `$1${now}'`);
      writeFileSync(join(templates, path), next);
    }
  }

  /** As in the repository, where they can be patched; what is there is read before the archive. */
  private unpackTemplates(): void {
    for (const name of [TEMPLATES_ARCHIVE, KERNELS_ARCHIVE]) {
      const archive = join(this.folder('plugin'), name);
      for (const [path, text] of unpackTemplates(readFileSync(archive))) {
        const file = join(this.folder('plugin'), 'templates', path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      rmSync(archive);
    }
    this.json('package.json', (json) => ({
      ...json,
      files: [...(json['files'] as string[]), 'templates'],
    }));
  }

  json(
    file: string,
    change: (json: Record<string, unknown>) => object,
    key: keyof Tarballs = 'plugin',
  ): void {
    const json = change(JSON.parse(this.read(file, key)) as Record<string, unknown>);
    writeFileSync(join(this.folder(key), file), `${JSON.stringify(json, null, 2)}\n`);
  }
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-release-'));
  removeAtExit(folder);
  return folder;
}
