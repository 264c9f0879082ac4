// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { witnessNameOf, WITNESS_PREFIX } from '#core/api/log.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { formatVerifierKey, parseVerifierKey } from '#core/log/note/key.ts'
import { parseNote } from '#core/log/note/note.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { select } from '#core/ports/needs.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { getReceipt, startHome, type LoggingHome } from '../served-log.ts'
import {
  startTesseraLog,
  startWitness,
  verifyInGo,
  type Running,
  type Witness,
  type Written,
} from './programs.ts'
import { describeWithGo } from './software.ts'

describeWithGo('a home whose log witnesses that others wrote cosign', () => {
  const witnesses: Running<Witness>[] = []
  let policy: string
  let home: LoggingHome

  beforeAll(async () => {
    const plain = await startHome()
    const [key] = plain.keys
    await plain.log.close()
    witnesses.push(await startWitness('litewitness', 'w.test/lite', key))
    witnesses.push(await startWitness('omniwitness', 'w.test/omni', key))
    const lines = witnesses.flatMap(({ first: { url, keys } }, i) =>
      keys.map((each, k) => `witness w${i}-${k} ${each} ${url}\n`),
    )
    policy = `log ${key}\n${lines.join('')}group g all w0-0 w1-0 w1-1\nquorum g\n`
    home = await startHome(parsePolicy(policy))
    // Theirs is the time of this computer, and cosignatures of another time are not kept.
    home.world.clock.now = Date.now()
  })
  afterAll(async () => {
    await home.log.close()
    for (const witness of witnesses) await witness.stop()
  })

  it('gives receipts that reach the quorum of its policy, to torchwood and to Tessera', async () => {
    for (const blocks of [2, 5, 1]) {
      await home.add(blocks)
      const note = await home.checkpoint()
      expect(parseNote(note).signatures).toHaveLength(5)
      expect(
        await verifyInGo([
          { note, policy },
          { note, policy, byTessera: true },
        ]),
      ).toMatchObject([{ size: parseCheckpoint(parseNote(note).text).size }, {}])
    }
    const { items } = await home.connection.api.blocks(home.record, 0)
    const given = await Promise.all(items.map(async (_, height) => getReceipt(home, height)))
    expect(given.map(({ level }) => level)).toEqual(items.map(() => 'witnessed'))
    const said = await verifyInGo(given.map(({ proof, entry }) => ({ proof, entry, policy })))
    expect(said).toEqual(given.map(() => ({})))
  })
})

describeWithGo('the witness of a home, asked by Tessera', () => {
  let home: LoggingHome
  const folder = mkdtempSync(join(tmpdir(), 'ampere-tessera-'))

  beforeAll(async () => {
    home = await startHome()
  })
  afterAll(async () => {
    await home.log.close()
    rmSync(folder, { recursive: true })
  })

  /** A log of Tessera under a policy that is made of the lines of this witness's keys. */
  const startLog = async (name: string, policyOf: (lines: readonly string[]) => string) => {
    const ports = await select(home.world.platform, WITNESS_NEEDS)
    const keys = witnessKeys(ports, witnessNameOf(ORIGIN))
    const url = `http://127.0.0.1:${home.log.port}${WITNESS_PREFIX}`
    const lines = keys.map((key, i) => `witness w${i} ${formatVerifierKey(key)} ${url}\n`)
    const file = join(folder, `${name}.policy`)
    writeFileSync(file, policyOf(lines))
    const log = await startTesseraLog(join(folder, name), ['-origin', `tessera.test/${name}`, '-witnessed'])
    await addLog(ports, `tessera.test/${name}`, [log.first.key])
    log.tell(file)
    return { log, keys }
  }

  for (const [which, type] of ['Ed25519', 'ML-DSA-44'].entries()) {
    it(`cosigns a log of Tessera POSIX as it grows, under a policy with its key of ${type}`, async () => {
      const { log, keys } = await startLog(type, (lines) => `${lines[which]}quorum w${which}\n`)
      const known = { logs: [parseVerifierKey(log.first.key)], cosigners: keys }
      for (const leaves of [3, 300, 1]) {
        const written = (await log.ask(String(leaves))) as Written
        const opened = await openCheckpoint(written.checkpoint, known, createVerifiers())
        const time = Math.floor(home.world.clock.now / 1000)
        expect(opened.cosignatures).toEqual([{ key: keys[which], time }])
        expect(opened.checkpoint.size).toBe(written.size)
      }
      await log.stop()
    })
  }

  it('is asked for one key only, so that no policy may need both of its keys', async () => {
    const { log } = await startLog('both', (lines) => `${lines.join('')}group g all w0 w1\nquorum g\n`)
    await expect(log.ask('1')).rejects.toThrow('witness policy was not satisfied')
    await log.stop()
  })
})
