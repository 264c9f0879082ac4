// SPDX-License-Identifier: Apache-2.0
import { asChainId, type ChainId } from '#core/bytes/ids.ts'
import { AmpereError } from '#core/errors.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { plainId } from '../program/dash-ids.ts'
import type { Common } from '../terminal/output.ts'
import { dataFolder, readSettings, type Settings } from './settings.ts'
import { openBridge, type OpenBridge } from './bridge.ts'
import { reachHome, type OpenHome } from './home.ts'

/** Options of commands that act as one of this machine's institutions. */
export interface ActingOptions extends Common {
  readonly as?: string
}

/** What a command works with; given back when it ends. */
export interface Session {
  readonly folder: string
  readonly settings: Settings
  readonly open: OpenBridge
  /** The home when it was opened in this process, null when a server runs. */
  readonly home: OpenHome | null
}

/** Opens the deployment for one command as one institution, and closes it whatever happens. */
export async function withSession<T>(
  options: ActingOptions,
  act: (session: Session) => Promise<T>,
): Promise<T> {
  const folder = dataFolder(options.data)
  const settings = readSettings(folder)
  if (!settings) throw new AmpereError('CONFIGURATION', 'there is no deployment in this folder')
  const id = options.as ?? settings.institutions[0] ?? ''
  if (!settings.institutions.includes(id)) {
    throw new AmpereError(
      'CONFIGURATION',
      `there is no institution ${id.slice(0, 63)} here; there are ${settings.institutions.join(', ')}`,
    )
  }
  const reached = await reachHome(folder, settings, silentLog)
  try {
    const open = await openBridge(folder, settings, id, reached.fetch, reached.home === null)
    try {
      return await act({ folder, settings, open, home: reached.home })
    } finally {
      await open.access.flush()
      await open.close()
    }
  } finally {
    await reached.close()
  }
}

/** Chains that the institution knows, with the patient's local id. */
export async function knownChains(
  session: Session,
): Promise<readonly { readonly id: string; readonly chain: ChainId }[]> {
  const listed = await session.open.bridge.ports.index.list()
  const { demo } = session.settings
  return listed.length === 0 && demo ? [{ id: demo.patient, chain: demo.record }] : listed
}

/** The chain that a person means by its first characters, as long as they are unambiguous. @throws NOT_FOUND */
export async function chainArgument(session: Session, argument: string): Promise<ChainId> {
  const text = plainId(argument)
  if (text.length === 43) return asChainId(text)
  const found = (await knownChains(session)).filter(({ chain }) => chain.startsWith(text))
  const [only] = found
  if (!only || found.length > 1) {
    throw new AmpereError(
      'NOT_FOUND',
      found.length > 1 ? 'several chains begin so; give more characters' : 'no such chain is known here',
    )
  }
  return only.chain
}
