// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DATA_FILES } from '#functions/host/definitions.ts'
import { ROLE_NAMES } from '#functions/host/role-names.ts'
import type { RoleBundle } from '#infra/bundle/bundle.ts'
import { builtBundles, builtFolder, bytesWithoutTelemetry, MAX_TELEMETRY_BYTES } from '../built.ts'

const OF_BRIDGE: readonly string[] = ['bridge', 'checker']
/** What Lambda loads at most for each role, in bytes: a bridge validates FHIR, checks records and knows its clients besides. */
const MAX_BYTES = 1024 * 1024
const MAX_BRIDGE_BYTES = 1100 * 1024
const most = (role: string) => (OF_BRIDGE.includes(role) ? MAX_BRIDGE_BYTES : MAX_BYTES)

describe('the bundles for AWS', () => {
  let bundles: readonly RoleBundle[] = []
  beforeAll(() => {
    bundles = builtBundles('aws')
  })

  it('are one for each role of a home, one for its mirror, and two for a bridge', () => {
    expect(bundles.map(({ role }) => role).toSorted()).toEqual(
      [...ROLE_NAMES, 'mirror', ...OF_BRIDGE].toSorted(),
    )
  })

  it('are each below 1 MiB, those of a bridge a little above, telemetry aside', () => {
    const sizes = bundles.map((bundle) => [bundle.role, bytesWithoutTelemetry(bundle), bundle.bytes] as const)
    expect(sizes.filter(([role, without]) => without >= most(role))).toEqual([])
    expect(sizes.filter(([, without, all]) => all - without >= MAX_TELEMETRY_BYTES)).toEqual([])
    // Both files are there and left out: else this would count nothing.
    expect(sizes.filter(([, without, all]) => all - without < 50 * 1024)).toEqual([])
    for (const { code } of bundles)
      expect(Object.keys(code).filter((name) => /^(?:create|otlp)-/.test(name))).toHaveLength(2)
  })

  it('of a bridge hold nothing of a home, and lie beside what they validate and check by', () => {
    const own = bundles.filter(({ role }) => OF_BRIDGE.includes(role))
    expect(own.flatMap(({ files }) => files.filter((file) => file.startsWith('core/server/')))).toEqual([])
    for (const { role, files } of own) {
      expect(files).toEqual(expect.arrayContaining(['core/bridge/bridge.ts', 'core/seal/entry.ts']))
      for (const name of Object.values(DATA_FILES))
        expect(readFileSync(join(builtFolder('aws'), role, name)).equals(readFileSync(name))).toBe(true)
    }
    const homes = bundles.filter(({ role }) => !OF_BRIDGE.includes(role)).map(({ role }) => role)
    for (const role of homes)
      expect(existsSync(join(builtFolder('aws'), role, DATA_FILES.definitions))).toBe(false)
  })

  it('hold nothing of another provider, of one machine, or of what reads records', () => {
    const ofHome = bundles.filter(({ role }) => !OF_BRIDGE.includes(role))
    const foreign = ofHome.flatMap(({ role, packages, files }) => [
      ...packages
        .filter((name) => /^@azure|^@typespec|napi|hono-node|medplum|ajv|fflate/.test(name))
        .map((name) => `${role}: ${name}`),
      ...files
        .filter((file) =>
          /^(adapters\/(?!aws\/|wrapped\/|around\/)|core\/(seal|record|client|bridge|consistency)\/|cli\/|desktop\/|tests\/)/.test(
            file,
          ),
        )
        .map((file) => `${role}: ${file}`),
    ])
    expect(foreign).toEqual([])
  })

  it('import nothing that loads the fetch of Node for its WebSocket', () => {
    const importing = bundles.flatMap(({ role, code }) =>
      Object.entries(code).flatMap(([name, text]) =>
        /(?:from|import)\s*\(?["'`](?:node:)?http["'`]/.test(text) ? [`${role}: ${name}`] : [],
      ),
    )
    expect(importing).toEqual([])
  })

  it('hold of the roles only their own', () => {
    // What a keeper answers from copies is described as what a reader answers.
    const described = ['functions/reader/operations.ts', 'functions/reader/hold-operations.ts']
    const foreign = bundles.flatMap(({ role, files }) =>
      files
        .filter((file) => file.startsWith('functions/') && !file.startsWith('functions/host/'))
        .filter((file) => file.split('/')[1] !== role && !(role === 'keeper' && described.includes(file)))
        // A checker opens the bridge that it checks, and answers nothing.
        .filter(
          (file) => role !== 'checker' || !/^functions\/bridge\/(?:alone|opening\/\w+|role)\.ts$/.test(file),
        )
        .map((file) => `${role}: ${file}`),
    )
    expect(foreign).toEqual([])
  })

  it('are loaded by Node and say in one line what is missing where they are not configured', () => {
    const file = join(builtFolder('aws'), 'writer', 'index.mjs')
    expect(readFileSync(file, 'utf8').length).toBeGreaterThan(1000)
    const event = {
      version: '2.0',
      rawPath: '/v1/blocks',
      rawQueryString: '',
      requestContext: { http: { method: 'POST' } },
    }
    const program = `const { handler } = await import(${JSON.stringify(file)})
      const answer = await handler(${JSON.stringify(event)}).catch((error) => ({ error: error.message }))
      process.stdout.write('\\n' + JSON.stringify(answer))`
    const out = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
    })
    const result = JSON.parse(out.split('\n').at(-1) ?? '') as { body: string }
    expect(JSON.parse(result.body)).toMatchObject({
      code: 'CONFIGURATION',
      detail: expect.stringContaining('AMPERE_AWS'),
    })
  })
})
