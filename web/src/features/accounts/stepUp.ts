import { shallowRef } from 'vue'
import { onProofNeeded } from '@/app/stepUp'

interface Question {
  answer: (proven: boolean) => void
}

/** The proof that is asked for at this moment; the dialog is open while there is one. */
export const question = shallowRef<Question>()

onProofNeeded(
  () =>
    new Promise((resolve) => {
      question.value = {
        answer: (proven) => {
          question.value = undefined
          resolve(proven)
        },
      }
    }),
)
