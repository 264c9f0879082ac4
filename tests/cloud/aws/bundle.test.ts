// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROLE_NAMES } from '#functions/host/role-names.ts'
import type { RoleBundle } from '#infra/bundle/bundle.ts'
import { builtBundles, builtFolder, bytesWithoutTelemetry, MAX_TELEMETRY_BYTES } from '../built.ts'

/** What Lambda loads at most for each role, in bytes. */
const MAX_BYTES = 1024 * 1024

describe('the bundles for AWS', () => {
  let bundles: readonly RoleBundle[] = []
  beforeAll(() => {
    bundles = builtBundles('aws')
  })

  it('are one for each role of a home, and one for its mirror', () => {
    expect(bundles.map(({ role }) => role).toSorted()).toEqual([...ROLE_NAMES, 'mirror'].toSorted())
  })

  it('are each below 1 MiB, telemetry aside', () => {
    const sizes = bundles.map((bundle) => [bundle.role, bytesWithoutTelemetry(bundle), bundle.bytes] as const)
    expect(sizes.filter(([, without]) => without >= MAX_BYTES)).toEqual([])
    expect(sizes.filter(([, without, all]) => all - without >= MAX_TELEMETRY_BYTES)).toEqual([])
    // Both files are there and left out: else this would count nothing.
    expect(sizes.filter(([, without, all]) => all - without < 50 * 1024)).toEqual([])
    for (const { code } of bundles)
      expect(Object.keys(code).filter((name) => /^(?:create|otlp)-/.test(name))).toHaveLength(2)
  })

  it('hold nothing of another provider, of one machine, or of what reads records', () => {
    const foreign = bundles.flatMap(({ role, packages, files }) => [
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
