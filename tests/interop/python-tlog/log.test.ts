// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { toBase64 } from '#core/bytes/base64.ts'
import { softwareSigner } from '#core/crypto/signature.ts'
import { parseCheckpoint, type Checkpoint } from '#core/log/note/checkpoint.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { formatVerifierKey, logSigner } from '#core/log/note/key.ts'
import { formatNote, parseNote, withSignatures } from '#core/log/note/note.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { bundlesBetween } from '#core/log/tile/extent.ts'
import { bundlePath } from '#core/log/tile/path.ts'
import { pathsOf, startHome, type LoggingHome } from '../served-log.ts'
import { describeWithTlogPackage, judgeLogs, type Asked } from './software.ts'

/** In all more than one full tile. */
const BLOCKS = [40, 230]
const REFUSED = { error: expect.any(String) }

describeWithTlogPackage('the log of a home, judged by the Python package aics-tlog', () => {
  let home: LoggingHome
  let asked: Asked
  const trees: Checkpoint[] = []
  const checkpointNow = async () => parseCheckpoint(parseNote(await home.checkpoint()).text)
  const sizeNow = () => trees.at(-1)?.size ?? 0

  beforeAll(async () => {
    home = await startHome()
    for (const blocks of BLOCKS) {
      await home.add(blocks)
      trees.push(await checkpointNow())
    }
    asked = { url: home.log.url, key: home.keys[0] }
  })
  afterAll(async () => home.log.close())

  it('has the checkpoint’s tree, each entry included, and the older tree as a prefix', async () => {
    const all = createHash('sha256')
    for (const bundle of bundlesBetween(0, sizeNow())) {
      const bytes = await (await fetch(`${home.log.url}${bundlePath(bundle)}`)).arrayBuffer()
      for (const entry of decodeBundle(new Uint8Array(bytes), bundle.width)) all.update(entry)
    }
    const [old] = trees
    const older = { size: old?.size ?? 0, root: toBase64(old?.root ?? new Uint8Array(0)) }
    const other = { size: older.size, root: toBase64(new Uint8Array(32)) }
    expect(
      await judgeLogs([
        { ...asked, older },
        { ...asked, older: other },
      ]),
    ).toEqual([
      { size: sizeNow(), sha256: all.digest('hex'), cosigned: [] },
      { error: 'ValueError: the older tree is no prefix' },
    ])
  })

  it('is refused when one bit of its checkpoint or of any tile or bundle is another', async () => {
    for (const path of ['checkpoint', ...pathsOf(sizeNow())]) {
      home.log.spoil(path, 20)
      expect([path, ...(await judgeLogs([asked]))]).toEqual([path, REFUSED])
    }
    home.log.spoil(null)
    expect(await judgeLogs([asked])).toEqual([expect.objectContaining({ size: sizeNow() })])
  })

  it('carries cosignatures that count, and one that is spoiled spoils it', async () => {
    const seed = new Uint8Array(32).fill(2)
    const witness = logSigner('w.test/1', 'cosignature-Ed25519', await softwareSigner('Ed25519', seed))
    const note = parseNote(await home.checkpoint())
    const cosignature = await signCheckpointText(witness, note.text, 1_790_000_000)
    const late = { ...cosignature, blob: cosignature.blob.map((byte, i) => (i === 7 ? byte ^ 1 : byte)) }
    const [whole, spoiled] = [cosignature, late].map((each) => formatNote(withSignatures(note, [each])))
    const witnesses = [formatVerifierKey(witness.key)]
    const said = await judgeLogs([
      { ...asked, witnesses, note: whole ?? '' },
      { ...asked, witnesses, note: spoiled ?? '' },
      { ...asked, witnesses },
    ])
    expect(said).toEqual([expect.objectContaining({ cosigned: ['w.test/1'] }), REFUSED, REFUSED])
  })
})
