// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSettings, writeSettings } from '#cli/deployment/settings.ts'
import { beginPlan } from '#cli/migrate/plan.ts'
import { withWitness } from '#cli/witness/policy/policy-text.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import { listen } from '#functions/host/node.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { interrupted, migrateScene, OLD, recordOf, withHome } from './scene.ts'

/** A refusal: its exit code, and words that are in it. */
const refusal = (...words: string[]) => ({
  code: 1,
  said: expect.stringMatching(new RegExp(words.join('.*'), 's')),
})

describe('a home on this computer that cannot be migrated as a whole', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  beforeEach(async () => {
    scene = await migrateScene(['hospital-a', 'hospital-b', 'clinic-c'])
  }, 60_000)
  afterEach(() => rmSync(scene.root, { recursive: true }))
  const migrate = () => scene.ampere(scene.old, 'migrate', '--to', scene.fresh, '--port', '19995')
  const registryHeight = () =>
    withHome(scene.old, async ({ home }) => (await home.registry.refresh()).height())

  it('is left as it is where a chain would stay behind, which is named with whose signature is missing', async () => {
    const { record, device } = await withHome(scene.old, (open) => recordOf(open, [], 2))
    const before = await registryHeight()
    const refused = await migrate()
    expect(refused.code).toBe(1)
    expect(jsonOf(refused)).toEqual({
      ok: false,
      waiting: [{ chain: record, threshold: 2, missing: [device.kid] }],
    })
    expect([existsSync(scene.fresh), await registryHeight()]).toEqual([false, before])
  }, 60_000)

  it('is left as it is where root keys of half of the members are not here', async () => {
    const settings = readSettings(scene.old)
    if (!settings) throw new Error('settings are expected')
    writeSettings(scene.old, { ...settings, institutions: ['hospital-a'] })
    const before = await registryHeight()
    expect(await migrate()).toMatchObject(refusal('KEY_UNAVAILABLE', 'clinic-c, hospital-b'))
    expect([existsSync(scene.fresh), await registryHeight()]).toEqual([false, before])
    // Two of three are a majority.
    writeSettings(scene.old, { ...settings, institutions: ['hospital-a', 'clinic-c'] })
    expect(await migrate()).toMatchObject({ code: 0, err: '' })
  }, 60_000)

  it('is left as it is while the last block of a chain is not witnessed as its policy asks', async () => {
    await withHome(scene.old, (open) => recordOf(open, ['unseen'], 1))
    const keys = [
      (await signerOf('w.test/witness', 'cosignature-Ed25519', 7)).key,
      (await signerOf('w.test/witness', 'cosignature-ML-DSA-44', 8)).key,
    ]
    const log = (readSettings(scene.old)?.log ?? []).map(parseVerifierKey)
    writeFileSync(
      join(scene.old, 'policy.txt'),
      withWitness(null, log, { url: 'http://127.0.0.1:9/witness', keys }).text,
    )
    const before = await registryHeight()
    expect(await migrate()).toMatchObject(refusal('UPSTREAM_FAILED', 'not witnessed', 'witness status'))
    expect([existsSync(scene.fresh), await registryHeight()]).toEqual([false, before])
  }, 60_000)

  it('is left as it is while a process has it, whether that answers or not', async () => {
    await withHome(scene.old, async ({ fetch }) => {
      expect(await migrate()).toMatchObject(refusal('STORE_LOCKED'))
      const server = await listen(fetch, Number(new URL(OLD).port), false)
      expect(await migrate()).toMatchObject(refusal('STORE_LOCKED', 'stop that server'))
      await server.close()
    })
    expect(existsSync(scene.fresh)).toBe(false)
  }, 60_000)
})

describe('the address of the new home', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  beforeEach(async () => {
    scene = await migrateScene()
  }, 60_000)
  afterEach(() => rmSync(scene.root, { recursive: true }))

  it('cannot be that of the old one, which is stopped, and nothing is begun', async () => {
    const { port } = new URL(OLD)
    const refused = await scene.ampere(scene.old, 'migrate', '--to', scene.fresh, '--port', port)
    expect(refused).toMatchObject(refusal('PORT_IN_USE', '--port PORT'))
    expect([existsSync(scene.fresh), existsSync(join(scene.old, 'moved.json'))]).toEqual([false, false])
  }, 60_000)

  it('is not a folder whose name was meant as a stage', async () => {
    const refused = await scene.ampere(scene.old, 'migrate', '--to', 'aws-Prod')
    expect(refused).toMatchObject({ code: 2, said: expect.stringContaining('give ./aws-Prod') })
    expect([existsSync('aws-Prod'), existsSync(join(scene.old, 'moved.json'))]).toEqual([false, false])
  }, 60_000)

  it('is none of the registry, nor that of a witness of the old one', async () => {
    const settings = readSettings(scene.old)
    if (!settings) throw new Error('settings are expected')
    const keys = [(await signerOf('w.test/witness', 'cosignature-Ed25519', 7)).key]
    const witness = { url: 'http://127.0.0.1:19996/witness', keys }
    const policy = withWitness(null, settings.log.map(parseVerifierKey), witness)
    writeFileSync(join(scene.old, 'policy.txt'), policy.text)
    const link = await withHome(scene.old, async ({ home }) => (await home.registry.refresh()).link())
    if (!link) throw new Error('a registry is expected')
    const make = async (_registry: unknown, taken: ReadonlySet<string>) => [...taken].join(' ')
    const target = { name: scene.fresh, folder: scene.fresh, make }
    const { origin } = await beginPlan(scene.old, target, settings, link.state)
    expect(origin).toBe(`${OLD} http://127.0.0.1:19996`)
  }, 60_000)
})

describe('a migration that was interrupted', () => {
  it('is not begun anew into another folder, and its new home is not retired while a chain is there', async () => {
    const { root, old, fresh, ampere } = await migrateScene()
    try {
      await withHome(old, (open) => recordOf(open, [], 1))
      await interrupted(old, fresh, 'copied')
      const third = join(root, 'third')
      const elsewhere = await ampere(old, 'migrate', '--to', third)
      expect(elsewhere).toMatchObject(refusal('ALREADY_EXISTS', fresh, `migrate .*--to ${fresh}`))
      expect(existsSync(third)).toBe(false)
      expect(JSON.parse(readFileSync(join(old, 'moved.json'), 'utf8'))).toMatchObject({
        to: fresh,
        left: false,
      })
      await interrupted(old, fresh, 'moved')
      const retired = await ampere(old, 'retire', 'home-2', '--confirm', 'home-2')
      expect(retired).toMatchObject(refusal('CONFIGURATION', 'at home at home-2'))
      const begun = await ampere(fresh, 'start', '--once')
      expect(begun).toMatchObject(refusal('CONFIGURATION', 'no deployment'))
    } finally {
      rmSync(root, { recursive: true })
    }
  }, 60_000)
})
