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
import { TEMPLATES_ARCHIVE, unpackTemplates } from '../../packages/plugin/src/render/archive';
import { removeAtExit } from './processes';

/** What is installed from a registry: the packed plugin, unpacked, to be patched into a release. */
export class Release {
  private constructor(readonly folder: string) {}

  /** The plugin as it is. */
  static unpack(tarball: string): Release {
    const folder = temporary();
    execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
    const release = new Release(folder);
    release.unpackTemplates();
    return release;
  }

  /** The next release, to be patched. Its migration is what a maintainer adds to migrations.json. */
  next(): Release {
    const release = new Release(temporary());
    cpSync(this.folder, release.folder, { recursive: true });
    rmSync(join(release.folder, '.npmrc'), { force: true });
    const [major, minor] = this.version.split('.');
    const version = `${major}.${Number(minor) + 1}.0`;
    release.json('package.json', (json) => ({ ...json, version }));
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

  get version(): string {
    return (JSON.parse(this.read('package.json')) as { version: string }).version;
  }

  /** Paths below `templates/`, without data. */
  get templates(): string[] {
    const root = join(this.folder, 'templates');
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:tsx?|ejs)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  /** Changes one template, or fails. */
  patch(template: string, change: (text: string) => string): void {
    const file = `templates/${template}`;
    const text = this.read(file);
    const next = change(text);
    if (next === text) throw new Error(`${template} is as it was`);
    writeFileSync(join(this.folder, file), next);
  }

  /** Gives a template of the kernel another name, also where others import it. */
  rename(template: string, to: string): void {
    const stem = (path: string): string => path.split('/').slice(1).join('/').replace(/\.ts$/, '');
    const [old, now] = [stem(template), stem(to)].map((path) => path.split('/').at(-1) ?? '');
    renameSync(join(this.folder, 'templates', template), join(this.folder, 'templates', to));
    this.json('templates/renames.json', (json) => ({ ...json, [template]: to }));
    for (const path of this.templates) {
      const text = this.read(`templates/${path}`);
      const next = text.replaceAll(new RegExp(`(from '[./a-z]*/)${old}'`, 'g'), `$1${now}'`);
      writeFileSync(join(this.folder, 'templates', path), next);
    }
  }

  /** As in the repository, where they can be patched; what is there is read before the archive. */
  private unpackTemplates(): void {
    const archive = join(this.folder, TEMPLATES_ARCHIVE);
    for (const [path, text] of unpackTemplates(readFileSync(archive))) {
      const file = join(this.folder, 'templates', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    rmSync(archive);
    this.json('package.json', (json) => ({
      ...json,
      files: [...(json['files'] as string[]), 'templates'],
    }));
  }

  json(file: string, change: (json: Record<string, unknown>) => object): void {
    const json = change(JSON.parse(this.read(file)) as Record<string, unknown>);
    writeFileSync(join(this.folder, file), `${JSON.stringify(json, null, 2)}\n`);
  }
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-release-'));
  removeAtExit(folder);
  return folder;
}
