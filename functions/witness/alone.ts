// SPDX-License-Identifier: Apache-2.0
import { select } from '#core/ports/needs.ts'
import { keepLogs } from '#core/server/witness/logs.ts'
import type { RoleApp } from '../host/app.ts'
import { openAlone, type Alone } from '../host/cloud/alone.ts'
import { acceptedLogs } from '../host/cloud/config.ts'
import { answering } from './answering.ts'
import { role } from './role.ts'

/**
 * The witness in a process of its own. What it is told of logs that are accepted it puts into its table when it is opened: whose log that is, is
 * decided by whoever deploys. Who may write into that table can change it until the next process is opened.
 * @throws AmpereError CONFIGURATION, and of the table
 */
export async function openWitnessing(alone: Alone): Promise<RoleApp> {
  const logs = acceptedLogs(alone.config)
  await keepLogs(await select(alone.platform, { tables: role.needs.tables, objects: {}, keys: {} }), logs)
  return openAlone(alone, answering)
}
