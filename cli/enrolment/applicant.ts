// SPDX-License-Identifier: Apache-2.0
import type { Keyring } from '#adapters/local/keys/keyring.ts'
import type { Connection } from '#core/client/connect.ts'
import type { OpenedEnrolment } from '#core/registry/enrolment.ts'
import type { InstanceRecord } from '#core/registry/records.ts'
import type { ActingOptions } from '../deployment/session.ts'
import type { Pending } from './pending.ts'

/** What this machine asks for. */
export interface HereOptions extends ActingOptions {
  readonly at?: string
  readonly registry?: string
  readonly name?: string
  readonly reads?: boolean
  readonly capabilities: InstanceRecord['capabilities']
}

/** This machine, while it waits to be an app instance. */
export interface Applicant {
  readonly folder: string
  readonly pending: Pending
  readonly keyring: Keyring
  readonly asked: OpenedEnrolment
  readonly connection: Connection
}
