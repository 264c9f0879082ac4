// SPDX-License-Identifier: Apache-2.0
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stretchAhead } from '#adapters/local/keys/key-file.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import type { ApplicantRecord } from '#core/registry/records.ts'
import { institutionFolder, keyFileOf, makeFolder } from '../../deployment/files.ts'
import {
  confirmFingerprint,
  homeFingerprint,
  institutionFingerprint,
  type ConfirmOptions,
} from '../../mirror/fingerprints.ts'
import { describeHome, originArgument } from '../../mirror/other-home.ts'
import { foundingRecords, makeInstitution } from '../../open/institution.ts'
import { readMembers, rememberMember, type MemberEntry } from '../../open/membership.ts'
import { institutionIdProblem } from '../../program/arguments.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { EXIT, type Common, type Screen } from '../../terminal/screen.ts'
import { fetchKeys } from '../../witness/published-keys.ts'
import { folderOf, memberPassphrase } from './member-session.ts'
import { publicFile } from './public-file.ts'

interface NewOptions extends Common, ConfirmOptions {
  readonly name?: string
  readonly home?: string
  readonly file?: string
}

/**
 * Makes the keys of an institution on this machine, or opens those that are there, and writes the public file that members of a registry
 * need to admit it. With --home it is remembered at which home that registry is.
 */
export async function newInstitution(call: Call<NewOptions>): Promise<number> {
  const { screen, options } = call
  const id = call.args[0] ?? ''
  const problem = institutionIdProblem(id)
  if (problem !== undefined) throw usage(problem)
  const folder = folderOf(call)
  const known = readMembers(folder).find((entry) => entry.id === id)
  const name = options.name ?? known?.name ?? id
  const home =
    options.home === undefined ? (known?.home ?? null) : await confirmedHome(screen, options, options.home)
  makeFolder(folder)
  const isNew = !existsSync(keyFileOf(folder, id))
  screen.stopping.keeps(() => 'Keys that were made stay. The same command goes on.')
  const text = await memberPassphrase(folder, options, screen)
  const institution = await makeInstitution(
    folder,
    id,
    await stretchAhead(text, isNew ? [] : [keyFileOf(folder, id)]),
  )
  const [record] = (await foundingRecords(institution, name)) as [ApplicantRecord]
  const file = resolve(options.file ?? join(institutionFolder(folder, id), 'institution.json'))
  writeFileSync(file, publicFile(record))
  rememberMember(folder, { id: record.id, name, home })
  const fingerprint = institutionFingerprint(record)
  screen.print({ ok: true, changed: isNew, institution: id, name, file, fingerprint, home }, [
    isNew ? `The keys of ${id} are made.` : `The keys of ${id} are here already.`,
    `  Public file  ${file}: hand it to a member of the registry`,
    `  Fingerprint  ${fingerprint}: tell it by another way`,
    '  Its key file holds its recovery key too, which can replace its root key: keep a copy of the folder offline.',
    'There  npx ampere institution propose admit FILE',
    home === null
      ? `Say where its registry is  npx ampere institution new ${id} --home ORIGIN`
      : `Its registry is at ${home.origin}. How it stands there: npx ampere institution list --as ${id}`,
  ])
  return EXIT.ok
}

async function confirmedHome(
  screen: Screen,
  options: ConfirmOptions,
  given: string,
): Promise<NonNullable<MemberEntry['home']>> {
  const origin = originArgument(given)
  const { registry } = await describeHome(origin)
  const log = ((await fetchKeys((request) => fetch(request), origin)).log?.keys ?? []).map(formatVerifierKey)
  const what = `The home ${origin}, its registry and its log`
  await confirmFingerprint(screen, options, what, homeFingerprint(registry, log))
  return { origin, registry }
}
