import Ajv from 'ajv';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import type { Check, Finding, Review } from '../finding.js';
import { toSarif } from './sarif.js';

const { resolve } = createRequire(__filename);
const jsonOf = (path: string): object => JSON.parse(readFileSync(resolve(path), 'utf8')) as object;
const ajv = new Ajv({ schemaId: 'auto', allErrors: true });
ajv.addMetaSchema(jsonOf('ajv/lib/refs/json-schema-draft-04.json'));
const validate = ajv.compile(jsonOf('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'));

const check = (name: string, more: Partial<Check> = {}): Check => ({
  name,
  severity: 'high',
  description: 'Do it',
  why: 'It goes wrong.',
  remedy: 'Do it right.',
  url: `https://example.com/${name}`,
  ...more,
});

const finding = (name: string, more: Partial<Finding> = {}): Finding => ({
  check: name,
  severity: 'high',
  message: 'Wrong here.',
  path: 'apps/api/src/main.ts',
  line: 3,
  column: 1,
  endLine: 3,
  endColumn: 9,
  fixable: false,
  suggestions: [],
  fingerprint: 'f'.repeat(32),
  ...more,
});

const review = (checks: readonly Check[], findings: readonly Finding[]): Review => ({
  projects: ['api'],
  files: 1,
  findings,
  checks: new Map(checks.map((one) => [one.name, one])),
  disabled: 0,
  unknown: [],
  untyped: [],
  fixed: [],
});

const sarif = (one: Review): { runs: [Run] } => JSON.parse(toSarif(one)) as { runs: [Run] };

interface Run {
  tool: { driver: { rules: { id: string; properties: { tags: string[] } }[] } };
  results: {
    ruleId: string;
    ruleIndex: number;
    level: string;
    locations: {
      physicalLocation: { artifactLocation: { uri: string; uriBaseId?: string } };
    }[];
  }[];
}

const CHECKS = [
  check('one', { cwe: 287 }),
  check('two', { severity: 'medium' }),
  check('three', { severity: 'low' }),
];

describe('a report for code scanning', () => {
  it.each([
    ['without findings', review([], [])],
    [
      'with findings of each severity',
      review(CHECKS, [
        finding('two', { severity: 'medium' }),
        finding('one'),
        finding('three', { severity: 'low', line: 1, column: 1, endLine: 1, endColumn: 1 }),
      ]),
    ],
    ['of a path with a space', review(CHECKS, [finding('one', { path: 'apps/my api/ä#b.ts' })])],
  ])('is valid by the schema of SARIF 2.1.0: %s', (_case, one) => {
    expect(validate(sarif(one)) ? [] : validate.errors).toEqual([]);
  });

  it('would not be valid otherwise: the schema is in force', () => {
    const log = sarif(review(CHECKS, [finding('one')]));
    log.runs[0].results[0]!.level = 'fatal';
    expect(validate(log)).toBe(false);
  });

  it('says of each result which rule it is of, and how grave it is', () => {
    const { tool, results } = sarif(
      review(CHECKS, [finding('two', { severity: 'medium' }), finding('one')]),
    ).runs[0];
    expect(
      results.map(({ ruleId, ruleIndex, level }) => [
        ruleId,
        tool.driver.rules[ruleIndex]?.id,
        level,
      ]),
    ).toEqual([
      ['two', 'two', 'warning'],
      ['one', 'one', 'error'],
    ]);
    expect(tool.driver.rules[0]?.properties.tags).toContain('external/cwe/cwe-287');
  });

  it('names files relative to the root of the repository, as an address', () => {
    const { results } = sarif(review(CHECKS, [finding('one', { path: 'apps/my api/ä#b.ts' })]))
      .runs[0];
    expect(results[0]?.locations[0]?.physicalLocation.artifactLocation).toEqual({
      uri: 'apps/my%20api/%C3%A4%23b.ts',
      uriBaseId: '%SRCROOT%',
    });
  });
});
