// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildInTurn } from '#cli/cloud/azure/azure.ts'
import type { Deploys } from '#infra/permissions/identities.ts'

/** A build that takes its time, and whose files say what it was for. */
function building(folder: string) {
  const order: string[] = []
  const build = buildInTurn(folder, async (deploys: Deploys) => {
    order.push(`${deploys} begins`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(join(folder, 'writer'), { recursive: true })
    await new Promise((resolve) => setImmediate(resolve))
    writeFileSync(join(folder, 'writer', 'index.js'), deploys)
    order.push(`${deploys} ends`)
    return [{ role: 'writer', bytes: deploys.length }]
  })
  return { build, order }
}

it('two deployments to Azure from one checkout build one after the other, and each publishes what it built', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'ampere-azure-turn-')), 'dist', 'azure')
  const { build, order } = building(folder)
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const [one, other] = await Promise.all([build('home', say), build('both', say)])
  expect(order).toEqual(['home begins', 'home ends', 'both begins', 'both ends'])
  expect(said).toHaveLength(1)
  // The folder has what was built last; what is published was read before.
  const text = (built: typeof one) => Buffer.from(built.files('writer')['index.js'] ?? []).toString()
  expect([text(one), text(other)]).toEqual(['home', 'both'])
  expect(one.files('nobody')).toEqual({})
})
