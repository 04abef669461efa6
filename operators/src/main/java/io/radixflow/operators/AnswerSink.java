package io.radixflow.operators;

import io.radixflow.engine.FinishReason;
import io.radixflow.schemas.ErrorCode;

/** Where the progress of requests goes. Called on the task thread, in the mail that changed the request's state. */
interface AnswerSink {

    /** The request got a token, perhaps text, and goes on. */
    void onProgress(InFlightRequest request);

    /** The request has ended; its last token and text are in it. */
    void onFinish(InFlightRequest request, FinishReason reason);

    /** The request can't be served. */
    void onRefusal(InFlightRequest request, ErrorCode code, String message);
}
