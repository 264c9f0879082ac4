// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '#core/client/connect.ts'
import { openProposals, type OpenProposal } from '#core/client/membership/proposals.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { RegistryState } from '#core/registry/state.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import { makePassphrase, readPassphrase } from '../../deployment/passphrase.ts'
import { dataFolder, readSettings } from '../../deployment/settings.ts'
import { connectHome, stateOf } from '../../mirror/other-home.ts'
import { openInstitution, rootSigner, type Institution } from '../../open/institution.ts'
import { readMembers, type MemberEntry } from '../../open/membership.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import type { Common, Screen } from '../../terminal/screen.ts'
import { withRegistry } from '../instances/registry-session.ts'

/** The registry as one institution of this machine sees it, wherever its home is. */
export interface MemberSession {
  readonly connection: Connection
  readonly institution: Institution
  readonly root: Signer
  readonly state: () => RegistryState
}

/** An action has 43 characters; fewer than these would fit some other by accident. */
const MIN_ACTION = 4

/**
 * Opens the registry for one command: of the data folder's own home, of the one that --cloud names, or of the home elsewhere that was
 * confirmed for the institution when its keys were made.
 */
export async function withMembership(
  call: Call<ActingOptions>,
  act: (session: MemberSession) => Promise<number>,
): Promise<number> {
  const entry = elsewhereOf(call)
  if (entry === null)
    return withRegistry(call, async ({ connection, institution, state }) =>
      act({ connection, institution, root: await rootSigner(institution), state }),
    )
  if (entry.home === null) {
    const next = `npx ampere institution new ${entry.id} --home ORIGIN`
    throw refuse('CONFIGURATION', `at which home the registry of ${entry.id} is, was not said yet`, next)
  }
  const folder = folderOf(call)
  const passphrase = await memberPassphrase(folder, call.options, call.screen)
  const institution = await openInstitution(folder, entry.id, passphrase)
  const connection = await connectHome(entry.home.origin, entry.home.registry, institution)
  return act({
    connection,
    institution,
    root: await rootSigner(institution),
    state: () => stateOf(connection),
  })
}

/** The institution that acts, where its registry is elsewhere; null where it is one of the home's own. @throws CommanderError (usage) */
function elsewhereOf(call: Call<ActingOptions>): MemberEntry | null {
  const { as, cloud } = call.options
  if (cloud !== undefined) return null
  const folder = folderOf(call)
  const [own, members] = [readSettings(folder)?.institutions ?? [], readMembers(folder)]
  const id = as ?? own[0] ?? members[0]?.id
  if (id === undefined || own.includes(id)) return null
  const found = members.find((entry) => entry.id === id)
  if (found) return found
  if (own.length > 0) return null
  throw usage(`there is no institution ${id.slice(0, 63)} on this machine`)
}

export function folderOf({ options, screen }: Call): string {
  return dataFolder(options.data, screen.terminal.env)
}

/** The passphrase of the key files of a folder, made where it has none yet. */
export async function memberPassphrase(
  folder: string,
  options: Pick<Common, 'passphraseFile'>,
  screen: Screen,
): Promise<string> {
  const source = readSettings(folder)?.passphrase ?? ({ kind: 'generated' } as const)
  const isNew =
    source.kind === 'generated' &&
    options.passphraseFile === undefined &&
    !existsSync(join(folder, 'passphrase'))
  return isNew ? makePassphrase(folder, source, screen) : readPassphrase(folder, source, options, screen)
}

/** The open proposal that a person means by the first characters of its action. @throws AmpereError NOT_FOUND; CommanderError (usage) */
export async function proposalArgument(connection: Connection, text: string): Promise<OpenProposal> {
  if (text.length < MIN_ACTION) throw usage(`a proposal is named by at least ${MIN_ACTION} characters`)
  const open = await openProposals(connection)
  const found = open.filter(({ proposal }) => proposal.action.startsWith(text))
  const [only] = found
  if (only && found.length === 1) return only
  const what = only ? 'several open proposals begin' : 'no open proposal begins'
  throw refuse('NOT_FOUND', `${what} with ${text.slice(0, 43)}`, 'npx ampere institution list')
}
