// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freshFolder, jsonOf, run, serveProcess, testPort, type Serving } from '../harness.ts'

const folder = freshFolder()
let serving: Serving
let record = ''
let origin = ''

const ampere = async (...args: string[]) => {
  const ended = await run([...args, '--data', folder, '--json'])
  return { exit: ended.code, ...jsonOf(ended) } as Record<string, unknown>
}
const join = (code: string, patient: string, at = `${origin}/hospital-a`) =>
  ampere('pair', 'join', code, '--patient', patient, '--at', at, '--as', 'clinic-c')

beforeAll(async () => {
  serving = await serveProcess(['start', '--demo', '--no-witness', '--data', folder, '--port', testPort(2)])
  record = String(serving.ready['record'])
  origin = String(serving.ready['origin'])
}, 60_000)
afterAll(async () => serving.stop())

describe('pairing', () => {
  it('lets one other institution join a record, which its bridge then serves', async () => {
    const issued = await ampere('pair', 'issue', record.slice(0, 8))
    expect(issued).toMatchObject({ exit: 0, chain: record, at: `${origin}/hospital-a` })
    const code = String(issued['code'])
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/)
    expect(await join(code.toLowerCase(), 'clinic-4711')).toMatchObject({ exit: 0, chain: record })
    const found = await fetch(`${origin}/clinic-c/fhir/Patient/clinic-4711/$everything?_count=1`)
    const { entry } = (await found.json()) as { entry: { resource: { resourceType: string } }[] }
    expect(entry.map(({ resource }) => resource.resourceType)).toEqual(['Patient'])
    expect(await ampere('chain', 'list', '--as', 'clinic-c')).toMatchObject({ items: [{ chain: record }] })
  }, 30_000)

  it('is refused for a wrong code, a patient who has a record, and an address where no bridge is', async () => {
    const issued = await ampere('pair', 'issue', record.slice(0, 8))
    const code = String(issued['code'])
    expect(await join('ZZZZ-ZZZZ-ZZZZ', 'clinic-4712')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    expect(await join(code, 'clinic-4711')).toMatchObject({ exit: 1, code: 'ALREADY_EXISTS' })
    const nobody = await join(code, 'clinic-4712', 'http://127.0.0.1:9/hospital-a')
    expect(nobody).toMatchObject({ exit: 1, code: 'UPSTREAM_FAILED' })
    expect(await join(code, 'clinic-4712', 'http://example.org/hospital-a')).toMatchObject({ exit: 2 })
    expect(await join(code, 'clinic-4712', `${origin}/hospital-a?x=1`)).toMatchObject({ exit: 2 })
  }, 30_000)
})
