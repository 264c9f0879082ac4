// SPDX-License-Identifier: Apache-2.0
import { openAlone } from '../host/cloud/alone.ts'
import { onLambda } from '../host/cloud/aws.ts'
import { openWorking } from './alone.ts'
import { answering } from './answering.ts'

export const handler = onLambda({ answers: (alone) => openAlone(alone, answering), wakes: openWorking })
