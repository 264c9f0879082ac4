// SPDX-License-Identifier: Apache-2.0
import type { Digest, InstitutionId } from '../../bytes/ids.ts'
import type { EnrolmentsPage, EnrolmentState } from '../../api/answers.ts'
import { MAX_PAGE_ENROLMENTS } from '../../api/limits.ts'
import { AmpereError } from '../../errors.ts'
import { enrolmentCode } from '../../registry/enrolment.ts'
import { parseJws } from '../../block/jws.ts'
import type { Home } from '../home.ts'
import { parseStatement, REQUEST_RANGE, requestRowOf, type EnrolmentPorts } from './rows.ts'
import { standingOf } from './standing.ts'

/** How a request stands. @throws AmpereError NOT_FOUND, also for one whose place another took */
export async function readEnrolment(
  ports: EnrolmentPorts,
  home: Home,
  institution: InstitutionId,
  id: Digest,
): Promise<EnrolmentState> {
  const state = await standingOf(ports, home, institution, id)
  if (state) return state
  throw new AmpereError('NOT_FOUND', 'no such request')
}

/** An institution's requests with this code: one, or none. */
export async function findEnrolments(
  ports: EnrolmentPorts,
  home: Home,
  institution: InstitutionId,
  code: string,
): Promise<EnrolmentsPage> {
  const row = await ports.tables.enrolments.get(institution, requestRowOf(code))
  const item = row && (await itemOf(ports, home, institution, row.value))
  return { items: item?.code === code ? [item.said] : [], next: null }
}

/** A page of an institution's requests, whatever has become of them. */
export async function listEnrolments(
  ports: EnrolmentPorts,
  home: Home,
  institution: InstitutionId,
  from: string | null,
): Promise<EnrolmentsPage> {
  const rows = await ports.tables.enrolments.range(institution, {
    ...REQUEST_RANGE,
    ...(from === null ? {} : { from: requestRowOf(from) }),
    limit: MAX_PAGE_ENROLMENTS + 1,
  })
  const page = rows.slice(0, MAX_PAGE_ENROLMENTS)
  const items = await Promise.all(page.map(({ value }) => itemOf(ports, home, institution, value)))
  const after = rows.at(MAX_PAGE_ENROLMENTS)
  return {
    items: items.flatMap((item) => (item ? [item.said] : [])),
    next: after ? after.key.slice(-2) : null,
  }
}

async function itemOf(ports: EnrolmentPorts, home: Home, institution: InstitutionId, value: Uint8Array) {
  const { jws } = parseStatement(value)
  const { id } = parseJws(jws, 'ampere-enrolment+jws')
  // Another may have taken its place since the row was read.
  const standing = await standingOf(ports, home, institution, id)
  return standing && { code: enrolmentCode(id), said: { request: jws, state: standing.state } }
}
