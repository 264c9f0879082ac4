// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ChainId } from '#core/bytes/ids.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import type { MirrorReport } from '#core/server/mirror/mirror.ts'
import type { RestoreReport } from '#core/server/restore/restore.ts'
import { eraseTwo, entry, keysIn, mirroredScene, storesOf, type Scene } from './mirrored-scene.ts'

const texts = (opened: readonly { readonly content: Uint8Array }[]) =>
  opened.map(({ content }) => new TextDecoder().decode(content))

/** An export without its head statement, whose time is that of the asking. */
async function exported({ world, policy, reached }: Scene, chain: ChainId) {
  const bytes = await exportRecord(world.connect('hospital-a', { fetch: reached.fetch, policy }), chain)
  const report = await verifyExport(bytes, { registry: world.registryId, policy })
  const lines = new TextDecoder().decode(bytes).split('\n')
  return { lines: lines.filter((line) => !line.startsWith('{"head"')), report }
}

describe('a home whose folder is lost', () => {
  let scene: Scene
  const before = new Map<ChainId, Awaited<ReturnType<typeof exported>>>()
  const runs: MirrorReport[] = []
  let report: RestoreReport
  let served: Awaited<ReturnType<Scene['serve']>>

  beforeAll(async () => {
    scene = await mirroredScene()
    // The mirror copies the key rows of what is erased afterwards.
    runs.push(await scene.run())
    await eraseTwo(scene)
    await scene.world.tendLog()
    runs.push(await scene.run(), await scene.run())
    for (const chain of [scene.record, scene.access, scene.other])
      before.set(chain, await exported(scene, chain))
    await scene.lose()
    report = await scene.restore()
    served = await scene.serve()
  }, 60_000)
  afterAll(() => scene.close())

  it('was mirrored without a problem, and nothing twice', () => {
    expect(runs.map(({ problems }) => problems)).toEqual([[], [], []])
    expect(runs.map(({ chains, erased }) => ({ chains, erased }))).toEqual([
      { chains: 4, erased: 0 },
      { chains: 4, erased: 1 },
      { chains: 4, erased: 0 },
    ])
    expect(runs[2]?.added).toBe(0)
  })

  it('gets everything back: each export is as before, and verifies with its receipts', async () => {
    expect(report).toMatchObject({ chains: 4, erasures: 1, unexplained: 0, losses: [] })
    for (const [chain, was] of before) {
      const is = await exported(scene, chain)
      expect(is.lines).toEqual(was.lines)
      expect(is.report.problems).toEqual([])
      expect(is.report.statuses).toEqual(was.report.statuses)
    }
    const ports = await select(served.platform, AUDITOR_NEEDS)
    const { findings, chains } = await auditChains(ports, served.home, listChains(ports))
    expect({ findings, chains }).toEqual({ findings: [], chains: 4 })
  })

  it('opens for its readers as before, is closed to the one that was removed, and what was erased stays so', async () => {
    const { world, record, other, reached } = scene
    const a = await world.connect('hospital-a', { fetch: reached.fetch }).read(record)
    expect(texts(a.opened)).toEqual(['kept', 'after b'])
    expect(a.closed.map(({ status }) => status)).toEqual(['erased', 'erased'])
    const b = world.connect('hospital-b', { fetch: reached.fetch })
    expect(texts((await b.read(other)).opened)).toEqual(['other'])
    await expect(b.read(record)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    for (const stores of [storesOf(served.platform), scene.copy]) {
      const keys = await keysIn(stores, record)
      expect(keys).toEqual(['wrapped', 'erased', 'erased', 'wrapped'])
    }
  })

  it('goes on with the same log, which its witness cosigns', async () => {
    const { world, record, reached, policy } = scene
    const a = world.connect('hospital-a', { fetch: reached.fetch, policy })
    await a.append(record, [entry('after the restore')])
    await served.tendLog()
    const { lines, report: after } = await exported(scene, record)
    expect(after.problems).toEqual([])
    expect(lines.filter((line) => line.includes('"receipt"')).length).toBeGreaterThan(0)
    expect(new Set(after.statuses)).toEqual(new Set(['witnessed', 'erasing']))
  })
})
