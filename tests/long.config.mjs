import base, { LONG } from '../jest.config.mjs'

/** The tests that take too long for every run of `npm test`: CI runs them, and leaves nothing out of them. */
export default {
  ...base,
  rootDir: '..',
  testMatch: LONG.map((path) => `<rootDir>/${path}`),
  testPathIgnorePatterns: ['/node_modules/'],
}
