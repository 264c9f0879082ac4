// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId } from '#core/bytes/ids.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { areEqual, compareHomes } from '#core/server/compare/compare-homes.ts'
import type { Comparison } from '#core/server/compare/report.ts'
import { storedSource, type HomeSource } from '#core/server/copy/source.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { receiveHome, type ReceiveReport } from '#core/server/restore/receive.ts'
import type { Settings } from '../deployment/settings.ts'
import { homeOf, type OpenHome } from '../open/home.ts'
import { readPolicy } from '../open/policy.ts'
import type { Screen } from '../terminal/screen.ts'
import { refuse } from '../program/refuse.ts'
import type { MigrationPlan } from './plan.ts'

/** The home that is received, and where its policy is. */
interface ReceivedFrom {
  readonly folder: string
  readonly settings: Settings
  readonly home: Pick<OpenHome, 'platform'>
  /** What it has beside its stores; those alone where it is left out. */
  readonly source?: HomeSource
}

/** What came over, and how it compares. */
export interface Received {
  readonly report: ReceiveReport
  readonly compared: Comparison
}

/** Copies all that is in one home into another one. It may be served meanwhile: then what came later is copied the next time. */
export async function copied(
  { screen }: { readonly screen: Pick<Screen, 'progress'> },
  from: ReceivedFrom,
  platform: Platform,
  plan: MigrationPlan,
): Promise<ReceiveReport> {
  const { settings, folder, home: old } = from
  const { deployment, origin } = plan
  const home = homeOf({ ...settings, deployment, origin }, platform)
  const left = {
    deployment: asDeploymentId(settings.deployment),
    origin: settings.origin,
    source: await sourceOf(from),
    findReceipt: receiptFinder(await select(old.platform, READER_NEEDS), readPolicy(folder, settings.origin)),
  }
  const receiving = screen.progress({ doing: 'Copying', unit: 'blocks' })
  const ports = await select(platform, RESTORE_NEEDS)
  return receiveHome(left, ports, home, {
    received: (blocks) => receiving.update(blocks),
  }).finally(() => receiving.stop())
}

/** Copies all that is in a home which nobody serves into another one, and compares. */
export async function received(
  call: { readonly screen: Pick<Screen, 'progress'> },
  from: ReceivedFrom,
  platform: Platform,
  plan: MigrationPlan,
): Promise<Received> {
  const report = await copied(call, from, platform, plan)
  const comparing = call.screen.progress({ doing: 'Comparing', unit: 'blocks' })
  const source = await sourceOf(from)
  const back = storedSource(await select(platform, BACKUP_NEEDS))
  const compared = await compareHomes(source, back, {
    isLater: true,
    hasOwnLog: true,
    progress: (blocks) => comparing.update(blocks),
  }).finally(() => comparing.stop())
  return { report, compared }
}

async function sourceOf({ source, home }: ReceivedFrom): Promise<HomeSource> {
  return source ?? storedSource(await select(home.platform, BACKUP_NEEDS))
}

/** @throws AmpereError VERIFICATION_FAILED naming the first difference */
export function checkEqual(compared: Comparison): void {
  if (areEqual(compared)) return
  const [first] = compared.differences
  throw refuse(
    'VERIFICATION_FAILED',
    `what came over differs: ${first?.part ?? ''} ${first?.where ?? ''} (${first?.how ?? ''})`,
    'npx ampere audit; nothing was moved since',
  )
}
