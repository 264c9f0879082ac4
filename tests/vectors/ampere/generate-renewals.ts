// SPDX-License-Identifier: Apache-2.0
// Writes renewals.json: node tests/vectors/ampere/generate-renewals.ts
// Drawn from the seed like registry.json, and as frozen.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Timestamp } from '#core/bytes/timestamp.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import { deployment, enrolment, growing, keyring, refused } from './generate-registry.ts'
import { SEED, seededBytes } from './seeded-bytes.ts'

const time = (text: string) => text as Timestamp
/** The blocks follow each other by a minute from 8:00 on this day. */
const ENDS = time('2026-12-01T08:00:00.000Z')
const LATER = time('2027-12-01T08:00:00.000Z')

/** A registry in which an instance that expires renews itself twice, and blocks that may not follow. */
export async function renewalVectors() {
  const random = seededBytes(SEED)
  const { seeds, make, found } = keyring(random)
  const a = await found('a')
  const head = await make('home-1')
  const [first, second, third, fourth] = [
    await make('a 2'),
    await make('a 2 renewed'),
    await make('a 2 again'),
    await make('a 2 never'),
  ]
  const home = deployment('a', 'home-1', 'https://home.example', head)
  const rules = { v: 1 as const, kind: 'rules' as const, demo: true, home: home.deployment.id }
  const { blocks, newest, begin, change } = growing(random)
  await begin([...a.own, a.enrol.instance, a.enrol.key, home.deployment, home.key, rules], [a.root])
  await change(a.root, [expiring('2', first, ENDS)])
  await change(first, [renewal(second, time('2027-06-01T08:00:00.000Z'))])
  await change(second, [renewal(third, LATER)])
  await change(a.root, [
    { act: 'revoke', kid: second.kid, reason: 'compromised', suspectFrom: time('2026-11-01T08:00:00.000Z') },
  ])
  const renew = renewal(fourth, time('2027-12-02T08:00:00.000Z'))
  const other = { ...renew, key: enrolment('a', '3', fourth).key }
  const rejected = await Promise.all([
    refused(newest(), 'author', first, [renew]),
    refused(newest(), 'author', head, [renew]),
    refused(newest(), 'author', third, [expiring('3', fourth, LATER)]),
    refused(newest(), 'renew', a.root, [renew]),
    refused(newest(), 'renew', a.instance, [renew]),
    refused(newest(), 'renew', third, [renew, renew]),
    refused(newest(), 'renew', third, [renew], { time: '2027-12-01T08:00:00.001Z' }),
    refused(newest(), 'renew', third, [other]),
    refused(newest(), 'kid-owner', third, [renewal(first, renew.expires)]),
    refused(newest(), 'expires', third, [renewal(fourth, LATER)]),
    refused(newest(), 'expires', third, [renewal(fourth, time('2027-12-05T08:00:00.000Z'))]),
    refused(newest(), 'expires', a.root, [expiring('3', fourth, time('2026-11-01T08:00:00.000Z'))]),
    refused(newest(), 'revoke', a.root, [
      { act: 'revoke', kid: second.kid, reason: 'retired', suspectFrom: null },
    ]),
    refused(newest(), 'state-root', third, [renew]),
  ])
  return { seeds, blocks, rejected }
}

function expiring(suffix: string, signer: Signer, expires: Timestamp): RegistryChange {
  const { instance, ...enrol } = enrolment('a', suffix, signer)
  return { ...enrol, instance: { ...instance, expires } }
}

function renewal(signer: Signer, expires: Timestamp): Extract<RegistryChange, { act: 'renew' }> {
  return { act: 'renew', key: enrolment('a', '2', signer).key, expires }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = JSON.stringify({ seed: SEED, vectors: await renewalVectors() }, null, 1)
  writeFileSync(new URL('renewals.json', import.meta.url), `${text}\n`)
}
