// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openKeyring } from '#adapters/local/keys/keyring.ts'
import { readCertificate } from '#cli/enrolment/certificate-file.ts'
import { ENROLLED_KEY, renewedIfDue } from '#cli/enrolment/renewal.ts'
import type { Institution } from '#cli/open/institution.ts'
import { sendEnrolment } from '#core/client/enrol/ask.ts'
import { verifyCertificate } from '#core/client/enrol/certificate.ts'
import type { Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import { AmpereError } from '#core/errors.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import { ORIGIN, seededRandom, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { approve, DAY_MS, DAYS, makeMachine } from '#tests/core/client/enrol/machine.ts'

/** An enrolled machine: a folder with a key file, which each command opens anew. */
async function enrolledMachine() {
  const world = await testDeployment()
  const random = seededRandom(5)
  const folder = mkdtempSync(join(tmpdir(), 'ampere-renewal-'))
  mkdirSync(folder, { recursive: true })
  const opened = () => openKeyring(join(folder, 'keys.json'), PASSPHRASE, random)
  const signer = await opened().signer(`${ENROLLED_KEY}1`, 'ES256')
  const machine = await makeMachine(world, { signer })
  await sendEnrolment(machine.connection.ports, machine.asked.compact)
  await approve(world, machine.asked.code)
  /** What a command has that acts by a key, over a home that may fail. */
  const command = async (by: Signer, fetch: Fetch = world.fetch) => {
    const connection: Connection = world.connect('hospital-a', { signer: by, fetch })
    await syncRegistry(connection.sync)
    const keyring = opened()
    const { id } = world.institution('hospital-a')
    const institution: Institution = {
      id,
      folder,
      keyring,
      hasRoot: false,
      instances: [by],
      sealingSeed: new Uint8Array(0),
      indexKey: new Uint8Array(32),
    }
    return { institution, connection }
  }
  return {
    world,
    folder,
    signer,
    command,
    names: () => opened().names(),
    keyNamed: (n: number) => opened().signer(`${ENROLLED_KEY}${n}`, 'ES256'),
  }
}

/** One that was drawn makes the key file cheap to open. */
const PASSPHRASE = { text: 'drawn for these tests', masters: new Map(), isRandom: true }
const height = async ({ home }: TestDeployment) => (await home.registry.refresh()).height()

describe('a command of an enrolled machine', () => {
  it('keeps the certificate, and renews nothing before the last quarter', async () => {
    const { world, folder, signer, command, names } = await enrolledMachine()
    world.clock.now += (DAYS * DAY_MS * 3) / 4
    expect(await renewedIfDue(await command(signer))).toBe(false)
    expect([await height(world), names()]).toEqual([1, [`${ENROLLED_KEY}1`]])
    expect(readCertificate(folder)).toMatchObject({ kid: signer.kid, height: 1, receipt: null })
    await world.tendLog()
    await renewedIfDue(await command(signer))
    expect(readCertificate(folder)?.receipt).not.toBeNull()
  }, 30_000)

  it('renews in the last quarter, once, and has a certificate of the new key', async () => {
    const { world, folder, signer, command, keyNamed } = await enrolledMachine()
    world.clock.now += 76 * DAY_MS
    expect(await renewedIfDue(await command(signer))).toBe(true)
    const next = await keyNamed(2)
    expect(await renewedIfDue(await command(next))).toBe(false)
    expect(await height(world)).toBe(2)
    const certificate = readCertificate(folder)
    expect(certificate).toMatchObject({ kid: next.kid, height: 2 })
    const pins = { registry: world.registryId, origin: ORIGIN, policy: null }
    if (certificate)
      expect(await verifyCertificate(certificate, pins, world.home.verifiers)).toMatchObject({
        kid: next.kid,
      })
  }, 30_000)

  it('goes on with the key that a killed one made, whether the home had its block or not', async () => {
    for (const hadIt of [false, true]) {
      const { world, signer, command, names, keyNamed } = await enrolledMachine()
      world.clock.now += 76 * DAY_MS
      const killed: Fetch = async (request) => {
        if (request.method !== 'POST') return world.fetch(request)
        if (hadIt) await world.fetch(request)
        throw new AmpereError('UNEXPECTED', 'killed')
      }
      await renewedIfDue(await command(signer, killed)).catch(() => null)
      expect(names()).toHaveLength(2)
      const next = await keyNamed(2)
      // The next command acts by whichever key the registry lists.
      const history = await world.home.registry.refresh()
      const isIn = history.since(`key/${next.kid}`) !== null
      expect(isIn).toBe(hadIt)
      expect(await renewedIfDue(await command(isIn ? next : signer))).toBe(!hadIt)
      expect([await height(world), names().length]).toEqual([2, 2])
    }
  }, 60_000)

  it('acts by its old key while the home cannot be asked, until it expires', async () => {
    const { world, signer, command } = await enrolledMachine()
    world.clock.now += 76 * DAY_MS
    const away: Fetch = async (request) =>
      request.method === 'POST' ? new Response('', { status: 503 }) : world.fetch(request)
    expect(await renewedIfDue(await command(signer, away))).toBe(false)
    world.clock.now += 25 * DAY_MS
    expect(await renewedIfDue(await command(signer))).toBe(false)
    expect(await height(world)).toBe(1)
  }, 30_000)
})
