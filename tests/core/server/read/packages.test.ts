// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { MAX_RANGE_BYTES } from '#core/api/large/upload.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { readPackages } from '#functions/reader/operations.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { ask } from '#tests/http/ask.ts'

it('gives all packages of a reader in pages that every home lets pass', async () => {
  const world = await testDeployment(['hospital-a'])
  const a = world.connect('hospital-a')
  const home = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
  const { record } = await createRecord(a, home, ['general'])
  const table = world.platform.table('packages')
  const [own] = await table.range(record)
  if (!own) throw new Error('there is no package')
  // As after many epochs; what others may read lies between.
  const many = Math.ceil((2.5 * MAX_RANGE_BYTES) / own.value.length)
  const other = Buffer.from(own.value).toString().replace('"hospital-a"', '"hospital-b"')
  for (let i = 0; i < many; i++) {
    await table.insert(record, `${own.key}.${String(i).padStart(6, '0')}`, own.value)
    if (i % 10 === 0)
      await table.insert(record, `${own.key}.${String(i).padStart(6, '0')}x`, Buffer.from(other))
  }
  const sizes: number[] = []
  const fetch: Fetch = async (request) => {
    const answer = await world.fetch(request)
    if (new URL(request.url).pathname.endsWith('/packages'))
      sizes.push((await answer.clone().arrayBuffer()).byteLength)
    return answer
  }
  const { items } = await world.connect('hospital-a', { fetch }).api.packages(record)
  expect(items).toHaveLength(many + 1)
  expect(new Set(items.map((item) => item.kind === 'reader' && item.reader))).toEqual(new Set(['hospital-a']))
  expect(sizes).toHaveLength(3)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_RANGE_BYTES)
  const lost = await ask(world, readPackages, { path: { chain: record }, query: { from: '_w' } })
  expect([lost.status, ((await lost.json()) as { code: string }).code]).toEqual([400, 'REQUEST_MALFORMED'])
})
