// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { LIMIT_VALUES } from '#core/api/discovery.ts'
import { LIMITS } from '#core/api/limits.ts'
import { PROBLEMS } from '#core/api/problems.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { homeApp } from '#functions/all.ts'
import { HOME_OPERATIONS, HOME_ROLES, homeDocument } from '#functions/roles.ts'
import { API_VERSION, EXAMPLES, openApiPath, problemCodes } from '#functions/host/openapi/document.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { ask } from './ask.ts'
import { converse, type Conversation } from './conversation.ts'

interface Media {
  readonly schema: object
  readonly example?: unknown
  readonly 'x-ampere-json'?: { readonly schema: object; readonly example?: unknown }
}
interface Described {
  readonly operationId: string
  readonly parameters: readonly {
    name: string
    in: string
    required: boolean
    schema: object
    example?: unknown
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>
  readonly 'x-ampere-problems': readonly string[]
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

const ROOT = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')
const json = (path: string) => JSON.parse(read(path)) as Record<string, unknown>

const document = homeDocument() as Document
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)
const operations = Object.values(HOME_OPERATIONS).flat()
const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema({ ...document, $id: 'doc' })

/** Problems of a value with a schema of the document, whose references are into the document. */
function misfit(schema: object, value: unknown): unknown {
  const rebased = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')) as object
  const check = ajv.compile(rebased)
  return check(value) ? null : check.errors
}

describe('the OpenAPI document', () => {
  let talk: Conversation
  beforeAll(async () => {
    talk = await converse()
  })

  it('is an OpenAPI 3.1 document by the published schema', () => {
    const check = new Ajv2020({ strict: false, validateFormats: false }).compile(
      json('tests/vectors/openapi/schema-3.1.json'),
    )
    check(JSON.parse(JSON.stringify(document)))
    expect(check.errors).toBeNull()
  })

  it('describes every route of a running home, and no route that it does not have', async () => {
    const { platform, home, clock, random } = talk.world
    const { app } = await homeApp(platform, home, { now: () => clock.now, random, log: silentLog })
    const patterns = new Set(operations.map(({ pattern }) => pattern))
    const routes = app.routes.filter(
      ({ path, method }) => method !== 'ALL' || !(path === '/*' || patterns.has(path)),
    )
    const running = routes.map(({ path, method }) => `${method} ${openApiPath(path)}`)
    const stated = described.map(({ path, method }) => `${method.toUpperCase()} ${path}`)
    expect(running.toSorted()).toEqual(stated.toSorted())
  })

  it('gives each operation an id of its own, a sentence, who may call it, and its limits', () => {
    const ids = operations.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { does, who, limits } of operations) {
      expect([does, who]).toEqual([expect.stringMatching(/\w.*\.$/s), expect.stringMatching(/\w.*\.$/s)])
      for (const name of limits) expect(LIMITS).toHaveProperty(name)
    }
  })

  it('lists only codes that exist, and exactly the statuses that they have', () => {
    for (const operation of operations) {
      const codes = problemCodes(operation)
      expect(codes.filter((code) => !(code in PROBLEMS))).toEqual([])
      const stated = described.find((one) => one.operation.operationId === operation.id)?.operation
      expect(stated?.['x-ampere-problems']).toEqual(codes)
      const statuses = [
        ...Object.keys({ ...operation.answers, ...operation.refusals }),
        ...codes.map((code) => String(PROBLEMS[code].status)),
      ]
      expect(Object.keys(stated?.responses ?? {}).toSorted()).toEqual([...new Set(statuses)].toSorted())
    }
  })

  it('has an example for every path parameter, every JSON answer and every body, and each fits its schema', () => {
    for (const { operation } of described) {
      const parameters = operation.parameters.filter((one) => one.in === 'path' || one.example !== undefined)
      const bodies = Object.values(operation.requestBody?.content ?? {}).map(
        (one) => one['x-ampere-json'] ?? one,
      )
      const answers = Object.values(operation.responses)
        .flatMap(({ content }) => Object.entries(content ?? {}))
        .filter(([type]) => /json/.test(type) && type !== 'application/problem+json')
        .map(([, media]) => media)
      for (const { schema, example } of [...parameters, ...bodies, ...answers]) {
        expect({ id: operation.operationId, misfit: misfit(schema, example) }).toEqual({
          id: operation.operationId,
          misfit: null,
        })
        expect(example).toBeDefined()
      }
    }
    expect(misfit({ $ref: '#/components/schemas/Problem' }, EXAMPLES.problem)).toBeNull()
  })

  it('would see an example that does not fit', () => {
    expect(misfit({ $ref: '#/components/schemas/Digest' }, 'A'.repeat(42))).not.toBeNull()
    expect(misfit({ $ref: '#/components/schemas/AppendHead' }, { block: 'x' })).not.toBeNull()
  })

  it('is what the home does: every operation answers as described, now', () => {
    expect(new Set(talk.exchanges.map(({ operation }) => operation.id))).toEqual(
      new Set(operations.map(({ id }) => id)),
    )
    for (const { operation, status, type, headers, body } of talk.exchanges) {
      const answer = operation.answers[status as 200]
      expect({ id: operation.id, status, type }).toEqual({ id: operation.id, status, type: answer?.type })
      const missing = Object.keys(answer?.headers ?? {}).filter((name) => !headers.has(name))
      expect({ id: operation.id, missing }).toEqual({ id: operation.id, missing: [] })
      if (!answer?.schema) continue
      const value: unknown = JSON.parse(fromUtf8(body))
      expect({ id: operation.id, fits: v.is(answer.schema, value) }).toEqual({ id: operation.id, fits: true })
      const media = described.find((one) => one.operation.operationId === operation.id)?.operation.responses[
        status
      ]
      expect(misfit(media?.content?.[answer.type]?.schema ?? {}, value)).toBeNull()
    }
  })

  it('requires a query parameter exactly where the home refuses a request without it', async () => {
    const asked = talk.exchanges.flatMap(({ operation, asking }) =>
      Object.keys(operation.query).map((name) => ({ operation, asking, name })),
    )
    for (const { operation, asking, name } of asked) {
      const { [name]: _, ...query } = asking.query ?? {}
      const answer = await ask(talk.world, operation, { ...asking, query })
      const isRefused = answer.status === 400 && (await answer.text()).includes(`parameter ${name} is not`)
      const said = described.find(({ operation: { operationId } }) => operationId === operation.id)
      const required = said?.operation.parameters.find(
        (one) => one.in === 'query' && one.name === name,
      )?.required
      expect({ id: operation.id, name, required }).toEqual({ id: operation.id, name, required: isRefused })
    }
    expect(asked.length).toBeGreaterThan(5)
  })

  it('has examples of this version: they state the limits and roles of today', () => {
    const example = EXAMPLES['readHome']?.answers['200'] as { limits: unknown; roles: unknown }
    expect(example).toMatchObject({ limits: LIMIT_VALUES, roles: HOME_ROLES.map(({ name }) => name) })
    expect(Object.keys(EXAMPLES).toSorted()).toEqual(
      [...operations.map(({ id }) => id), 'problem'].toSorted(),
    )
  })

  it('is served, and committed as docs/api/openapi.json (else: npm run docs)', async () => {
    const served = await ask(talk.world, { ...operations[0], pattern: '/openapi.json' } as never)
    expect(await served.json()).toEqual(JSON.parse(JSON.stringify(document)))
    expect(read('docs/api/openapi.json')).toBe(`${JSON.stringify(document, null, 2)}\n`)
  })

  it('has the version of the software', () => {
    expect(json('package.json')['version']).toBe(API_VERSION)
  })

  it('states the limits that docs/PROTOCOL.md section 10 states', () => {
    const section = /## 10\. Limits\n([\s\S]*?)(?:\n## |$)/.exec(read('docs/PROTOCOL.md'))?.[1] ?? ''
    const rows = Object.entries(LIMITS).map(
      ([name, { value, code }]) => `| ${name} | ${value} | ${code ?? '-'} |`,
    )
    expect(rows.filter((row) => !section.includes(row))).toEqual([])
  })
})
