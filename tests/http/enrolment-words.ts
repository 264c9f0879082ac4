// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { refusalOf } from '#core/client/enrol/answer.ts'
import type { Operation } from '#functions/host/operation.ts'
import * as enrolments from '#functions/registrar/enrolment-operations.ts'
import { makeMachine } from '#tests/core/client/enrol/machine.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import type { Asking } from './ask.ts'

/** A machine asks hospital A and is refused. */
export async function sayEnrolment(
  world: TestDeployment,
  say: (operation: Operation, asking?: Asking) => Promise<void>,
): Promise<void> {
  const { asked, connection } = await makeMachine(world)
  await say(enrolments.askToEnrol, { body: utf8(asked.compact) })
  await say(enrolments.listEnrolments)
  await say(enrolments.listEnrolments, { query: { code: asked.code } })
  const { root, id } = world.institution('hospital-a')
  const refusal = await refusalOf(connection, asked, root, 'not one of ours')
  await say(enrolments.answerEnrolment, { path: { id: asked.id }, body: utf8(refusal) })
  await say(enrolments.readEnrolment, { path: { id: asked.id }, query: { institution: id } })
}
