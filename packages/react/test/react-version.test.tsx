import { version } from 'react';
import { version as domVersion } from 'react-dom';
import { expect, it } from 'vitest';

it('runs on the React of its lane', () => {
  const major = process.env['WEB_HOST'] === 'web-react18' ? '18' : '19';
  expect([version.split('.')[0], domVersion.split('.')[0]]).toEqual([major, major]);
});
