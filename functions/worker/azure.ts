// SPDX-License-Identifier: Apache-2.0
import { openAlone } from '../host/cloud/alone.ts'
import { onAzure } from '../host/cloud/azure.ts'
import { openWorking } from './alone.ts'
import { answering } from './answering.ts'

onAzure(
  'worker',
  { answers: (alone) => openAlone(alone, answering), wakes: openWorking },
  { schedule: '30 */5 * * * *' },
)
