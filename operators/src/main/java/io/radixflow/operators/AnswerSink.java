package io.radixflow.operators;

import io.radixflow.schemas.ErrorCode;

/** Where the progress of requests goes. Called on the task thread, in the mail that changed the request's state. */
interface AnswerSink {

    /** The answer got a token, perhaps text, and goes on. */
    void onProgress(InFlightChoice choice);

    /** The answer has ended; its last token and text are in it. */
    void onEnd(InFlightChoice choice);

    /** All answers of the request have ended. */
    void onFinish(InFlightRequest request);

    /** The request can't be served. */
    void onRefusal(InFlightRequest request, ErrorCode code, String message);
}
