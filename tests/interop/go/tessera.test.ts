// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVerifiers } from '#core/crypto/signature.ts'
import { leafHash } from '#core/log/merkle.ts'
import type { Checkpoint } from '#core/log/note/checkpoint.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { verifyConsistency, verifyInclusion } from '#core/log/proof.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { TreeCheck } from '#core/log/tile/check.ts'
import { bundlesBetween } from '#core/log/tile/extent.ts'
import { bundlePath } from '#core/log/tile/path.ts'
import { tileReader } from '#core/log/tile/read-tile.ts'
import { consistencyFromTiles, inclusionFromTiles } from '#core/log/tile/read.ts'
import { startTesseraLog, type Running, type Written } from './programs.ts'
import { describeWithGo } from './software.ts'

/** Leaves that are added: to a partial tile, then over the first full one, then over the first full one of level 1. */
const GROWTH = [200, 100, 65_400]

describeWithGo('a log that Tessera POSIX wrote, read here', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-tessera-'))
  const fetchFile = async (path: string) =>
    existsSync(join(folder, path)) ? new Uint8Array(readFileSync(join(folder, path))) : null
  const checkpoints: Checkpoint[] = []
  let log: Running<{ readonly key: string }>

  beforeAll(async () => {
    log = await startTesseraLog(folder, ['-origin', 'tessera.test/log'])
    const keys = { logs: [parseVerifierKey(log.first.key)], cosigners: [] }
    for (const leaves of GROWTH) {
      const written = (await log.ask(String(leaves))) as Written
      const opened = await openCheckpoint(written.checkpoint, keys, createVerifiers())
      expect([opened.checkpoint.origin, opened.checkpoint.size]).toEqual(['tessera.test/log', written.size])
      checkpoints.push(opened.checkpoint)
    }
  })
  afterAll(async () => {
    await log.stop()
    rmSync(folder, { recursive: true })
  })

  it('has the tiles and the root that its entries say', async () => {
    const { size, root } = newest(checkpoints)
    const check = new TreeCheck(fetchFile, size)
    const flaws = []
    for (const bundle of bundlesBetween(0, size)) {
      const entries = decodeBundle((await fetchFile(bundlePath(bundle))) ?? new Uint8Array(0), bundle.width)
      flaws.push(...(await check.add(entries.map(leafHash))))
    }
    expect(flaws).toEqual([])
    expect(check.root()).toEqual(root)
  })

  it('holds each smaller tree of it, and its entries', async () => {
    const { size, root } = newest(checkpoints)
    const reader = tileReader(fetchFile, size)
    for (const older of checkpoints) {
      const proof = await consistencyFromTiles(older.size, size, reader)
      const claim = { size1: older.size, root1: older.root, size2: size, root2: root, proof }
      expect([older.size, verifyConsistency(claim)]).toEqual([older.size, true])
    }
    for (const index of [0, 255, 256, size - 1]) {
      const width = Math.min(256, size - (index - (index % 256)))
      const bundle = await fetchFile(bundlePath({ index: Math.floor(index / 256), width }))
      const entry = decodeBundle(bundle ?? new Uint8Array(0), width)[index % 256] ?? new Uint8Array(0)
      const proof = await inclusionFromTiles(index, size, reader)
      expect([index, verifyInclusion({ leaf: leafHash(entry), index, size, proof, root })]).toEqual([
        index,
        true,
      ])
    }
  })
})

function newest(checkpoints: readonly Checkpoint[]): Checkpoint {
  const last = checkpoints.at(-1)
  if (!last) throw new Error('nothing was written')
  return last
}
