// SPDX-License-Identifier: Apache-2.0
import { stretchAhead } from '#adapters/local/keys/key-file.ts'
import { asChainId, type ChainId } from '#core/bytes/ids.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { untilStands } from '#functions/sequencer/standing-clock.ts'
import { suggestion } from '../program/near.ts'
import { refuse, usage } from '../program/refuse.ts'
import type { Call, CloudOption } from '../program/command.ts'
import { checkNotLeft } from '../migrate/note.ts'
import { openBridge, type BridgeContext, type OpenBridge } from '../open/bridge.ts'
import { reachCloud } from '../cloud/reach-home.ts'
import { deploymentOf } from './deployment-of.ts'
import { homeKeyFile, keyFileOf } from './files.ts'
import { homeElsewhere, openHome, type OpenHome } from '../open/home.ts'
import { readPassphrase } from './passphrase.ts'
import { findRunning } from './running.ts'
import type { Settings } from './settings.ts'
import { createLazyValidator } from '../open/validator.ts'

/** Options of commands that act as one of this machine's institutions. */
export interface ActingOptions extends CloudOption {
  readonly as?: string
}

/** The deployment that a command works with; the home is null where it is asked over HTTP: a server of it runs, or a cloud has it. */
export interface Reached extends BridgeContext {
  readonly home: OpenHome | null
  /** Of a home that --cloud names, only the keys of its institutions and what they know are on this computer. */
  readonly isInCloud: boolean
}

/** What a command works with as one institution. */
export interface Session extends Reached {
  readonly open: OpenBridge
}

/**
 * What a command opens the home for, where no server runs: `act` leaves what it wrote logged; `look` writes nothing to the
 * home's stores; `repair` writes, with no sequencer beside it; `leave` acts on a home that was moved away, too.
 */
export type Purpose = 'act' | 'look' | 'repair' | 'leave'

/** The institution that acts. @throws CommanderError (usage) when it is not one of this machine's */
export function actingInstitution(settings: Pick<Settings, 'institutions'>, options: ActingOptions): string {
  const id = options.as ?? settings.institutions[0] ?? ''
  if (settings.institutions.includes(id)) return id
  const known = `here are ${settings.institutions.join(', ')}`
  throw usage(
    `there is no institution ${id.slice(0, 63)} on this machine; ${known}${suggestion(id, settings.institutions)}`,
  )
}

/**
 * Reaches the home, over HTTP where a cloud has it or a server of this deployment runs, else opened in this process, for
 * the time of `act`. `ids` are the institutions whose key files will be opened.
 */
export async function withHome<T>(
  call: Call<CloudOption>,
  ids: (settings: Settings) => readonly string[],
  act: (reached: Reached) => Promise<T>,
  purpose: Purpose = 'act',
): Promise<T> {
  const { cloud } = call.options
  if (cloud === undefined) return withHomeHere(call, ids, act, purpose)
  const reached = await reachCloud(call, cloud)
  const validator = createLazyValidator()
  // Nobody holds the folder of its institutions: commands at once share their tables, as they do beside a server.
  return act({ ...reached, validator, beside: true, home: null, isInCloud: true })
}

async function withHomeHere<T>(
  call: Call,
  ids: (settings: Settings) => readonly string[],
  act: (reached: Reached) => Promise<T>,
  purpose: Purpose,
): Promise<T> {
  const { folder, settings } = deploymentOf(call)
  if (settings.elsewhere === true) return withHomeElsewhere(call, { folder, settings }, act, purpose)
  if (purpose === 'act') checkNotLeft(folder)
  const running = await findRunning(settings)
  const files = ids(settings).map((id) => keyFileOf(folder, id))
  const text = await readPassphrase(folder, settings.passphrase, call.options, call.screen)
  const passphrase = await stretchAhead(text, running ? files : [homeKeyFile(folder), ...files])
  const looksOnly = purpose === 'look'
  const home = running ? null : await openHome(folder, settings, passphrase, silentLog, { looksOnly })
  const close = async () => {
    if (purpose === 'act' || purpose === 'leave') await home?.tendLog()
    await home?.platform.close()
  }
  const closed = call.screen.stopping.closes(close)
  // Without a server nobody else follows, and what was revoked meanwhile is to be refused.
  if (purpose === 'act') await home?.follow()
  const fetchHome = home ? standing(call, home) : (request: Request) => fetch(request)
  const validator = createLazyValidator()
  try {
    return await act({
      folder,
      settings,
      passphrase,
      fetch: fetchHome,
      validator,
      beside: home === null,
      home,
      isInCloud: false,
    })
  } finally {
    closed()
    await close()
  }
}

/** The home of a machine that was enrolled is asked over HTTP, like one in a cloud. @throws AmpereError UNSUPPORTED */
async function withHomeElsewhere<T>(
  { options, screen }: Call,
  { folder, settings }: { readonly folder: string; readonly settings: Settings },
  act: (reached: Reached) => Promise<T>,
  purpose: Purpose,
): Promise<T> {
  if (purpose === 'repair' || purpose === 'leave') throw homeElsewhere(settings)
  const text = await readPassphrase(folder, settings.passphrase, options, screen)
  const files = settings.institutions.map((id) => keyFileOf(folder, id))
  return act({
    folder,
    settings,
    passphrase: await stretchAhead(text, files),
    fetch: (request) => fetch(request),
    validator: createLazyValidator(),
    beside: true,
    home: null,
    isInCloud: false,
  })
}

/** Asks a home in this process. A command ends before its clock could have stood, so its first request waits for that. */
function standing({ screen }: Call, { clock, fetch: ask }: OpenHome): OpenHome['fetch'] {
  const told = (why: string) => {
    screen.say(
      `Waiting 30 s to see that the clock of this computer stays as it is: ${why}, and what is signed stays.`,
    )
  }
  let stands: Promise<void> | null = null
  return async (request) => {
    await (stands ??= untilStands(clock, screen.terminal.wait, told))
    return ask(request)
  }
}

/** Opens the deployment for one command as one institution, and closes it whatever happens. */
export async function withSession<T>(
  call: Call<ActingOptions>,
  act: (session: Session) => Promise<T>,
  purpose: Purpose = 'act',
): Promise<T> {
  const acting = (settings: Settings) => actingInstitution(settings, call.options)
  return withHome(
    call,
    (settings) => [acting(settings)],
    async (reached) => {
      const open = await openBridge(reached, acting(reached.settings))
      const closed = call.screen.stopping.closes(() => open.close())
      try {
        const result = await act({ ...reached, open })
        // Readings that were kept stay for whoever enters them next: that appends to the home.
        if (purpose === 'act') await open.access.flush()
        return result
      } finally {
        closed()
        await open.close()
      }
    },
    purpose,
  )
}

/** Fewer characters of an id would fit some record by accident, and what is granted or erased is not asked again. */
export const MIN_NAME = 4

/** The record that a person means by its first characters, as long as they are unambiguous. @throws NOT_FOUND */
export async function chainArgument(session: Session, text: string): Promise<ChainId> {
  if (text.length === 43) return asChainId(text)
  if (text.length < MIN_NAME) throw usage(`a record is named by at least ${MIN_NAME} characters of its id`)
  const known = await session.open.records()
  const found = known.filter(({ chain }) => chain.startsWith(text))
  const [only] = found
  if (only && found.length === 1) return only.chain
  if (found.length > 1) {
    const starts = found.map(({ chain }) => shortId(chain)).join(', ')
    throw refuse('NOT_FOUND', `several records begin with ${text}: ${starts}`, 'give more characters')
  }
  const near = suggestion(
    text,
    known.map(({ chain }) => chain.slice(0, text.length)),
  )
  throw refuse(
    'NOT_FOUND',
    `no record known here begins with ${text.slice(0, 43)}${near}`,
    'npx ampere chain list',
  )
}

/** Enough of an id to be told apart by people. */
export function shortId(id: string): string {
  return id.slice(0, 8)
}
