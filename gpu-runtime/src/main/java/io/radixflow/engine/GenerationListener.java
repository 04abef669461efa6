package io.radixflow.engine;

/** Receives a session's outputs. Called by the engine's threads, one at a time; implementations never block and never throw. */
public interface GenerationListener {

    /** Called once for each step in which one of the session's requests got a token or ended. The callee owns {@code output}
     * until it calls {@link StepOutput#release()}. */
    void onStep(StepOutput output);

    /** A grammar that this session was the first to ask for took so long to compile; also called if it has failed. */
    default void onGrammarCompiled(long nanos) {}

    /**
     * The engine has stopped for good; no further call follows. Requests in flight may be resubmitted to a new engine: what was not handed
     * to {@link #onStep} has not happened.
     *
     * @param inStep the session's requests that the failed step was computing, by id; empty if the engine failed between steps
     */
    void onFailure(EngineException cause, long[] inStep);
}
