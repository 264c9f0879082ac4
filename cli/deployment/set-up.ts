// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { AmpereError } from '#core/errors.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { FoundingRecord } from '#core/registry/records.ts'
import { refuse } from '../program/refuse.ts'
import { foundingRecords, makeInstitution, rootSigner } from '../open/institution.ts'
import { makeFolder } from './files.ts'
import { foundHome } from './found-home.ts'
import { SETTINGS_VERSION, writeSettings, type PassphraseSource, type Settings } from './settings.ts'

/** What a set-up makes, in the order in which it takes its place; the settings come last and make it whole. */
const PARTS = ['home', 'institutions', 'passphrase', 'keychain-id', 'settings.json']
const STAGING = '.set-up-'

/** What a new local deployment consists of. */
export interface NewDeployment {
  readonly origin: string
  readonly institutions: readonly { readonly id: string; readonly name: string }[]
  readonly demo: boolean
  readonly passphrase: PassphraseSource
}

/**
 * Makes the keys, the registry with all institutions as founders, and the settings of a data folder, in a
 * folder beside that takes their place only when all of it is there. Nothing is overwritten.
 * `makePassphrase` gives the passphrase, given where it may keep it.
 * @throws AmpereError ALREADY_EXISTS, CONFIGURATION when there is no institution
 */
export async function setUp(
  folder: string,
  what: NewDeployment,
  makePassphrase: (folder: string) => Promise<string>,
): Promise<Settings> {
  if (what.institutions.length === 0)
    throw new AmpereError('CONFIGURATION', 'a deployment needs at least one institution')
  return inStaging(folder, async (staging) => {
    const text = await makePassphrase(staging)
    const isRandom = what.passphrase.kind === 'generated'
    return makeDeployment(staging, what, { text, masters: new Map(), isRandom })
  })
}

/**
 * Lets `make` make the parts of a data folder in one beside it, which take their place when all of it is there.
 * @throws AmpereError ALREADY_EXISTS
 */
export async function inStaging(
  folder: string,
  make: (staging: string) => Promise<Settings>,
): Promise<Settings> {
  checkFree(folder)
  makeFolder(folder)
  const staging = mkdtempSync(join(folder, STAGING))
  try {
    const settings = await make(staging)
    writeSettings(staging, settings)
    checkFree(folder)
    for (const part of PARTS) {
      if (existsSync(join(staging, part))) renameSync(join(staging, part), join(folder, part))
    }
    return settings
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** @throws AmpereError ALREADY_EXISTS when anything of a deployment is in the folder */
export function checkFree(folder: string): void {
  if (!existsSync(folder)) return
  const found = readdirSync(folder).filter((name) => PARTS.includes(name))
  if (found.length === 0) return
  const whole = found.includes('settings.json')
  throw refuse(
    'ALREADY_EXISTS',
    whole
      ? `there is a deployment in ${folder} already, and nothing is overwritten`
      : `${folder} has a part of a deployment (${found.join(', ')}) but no settings.json, and nothing is overwritten`,
    whole ? 'npx ampere start' : 'restore settings.json from a copy, or choose another folder: --data FOLDER',
  )
}

async function makeDeployment(
  folder: string,
  what: NewDeployment,
  passphrase: StretchedPassphrase,
): Promise<Settings> {
  const platform = openLocal({ folder: join(folder, 'home'), passphrase })
  try {
    const deployment = asDeploymentId('home-1')
    const { records, founders } = await makeFounders(folder, what, passphrase)
    const { registry, log } = await foundHome(platform, {
      deployment,
      origin: what.origin,
      durability: 'local',
      owner: what.institutions[0]?.id ?? '',
      demo: what.demo,
      records,
      founders,
    })
    return {
      v: SETTINGS_VERSION,
      registry,
      deployment,
      origin: what.origin,
      log,
      institutions: what.institutions.map(({ id }) => id),
      passphrase: what.passphrase,
      demo: what.demo ? { record: null, patient: null } : null,
    }
  } finally {
    await platform.close()
  }
}

/** Makes the institutions' keys, and what they say of themselves in the first block of a registry. */
export async function makeFounders(
  folder: string,
  what: Pick<NewDeployment, 'institutions'>,
  passphrase: StretchedPassphrase,
): Promise<{ readonly records: FoundingRecord[]; readonly founders: readonly Signer[] }> {
  const records: FoundingRecord[] = []
  const founders: Signer[] = []
  for (const { id, name } of what.institutions) {
    const institution = await makeInstitution(folder, id, passphrase)
    records.push(...(await foundingRecords(institution, name)))
    founders.push(await rootSigner(institution))
  }
  return { records, founders }
}
