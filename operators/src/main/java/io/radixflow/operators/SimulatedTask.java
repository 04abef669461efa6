package io.radixflow.operators;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.StepOutput;
import io.radixflow.loop.SteppedEngine;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;

/** An inference subtask of a {@link RoutingSimulation}: a stepped engine, its input channels, and the load that it reports. */
final class SimulatedTask implements GenerationListener, AutoCloseable {

    private final SteppedEngine engine;
    private final EngineSession session;
    private final EngineLoad load;
    private final List<Queue<RoutedRequest>> channels = new ArrayList<>();
    private final Map<Long, InFlightRequest> inFlight = new LinkedHashMap<>();
    private long nextId;
    private int numWaiting;
    private int nextChannel;

    SimulatedTask(int index, EngineConfig config, int numRouters) {
        engine = SteppedEngine.start(config);
        session = engine.open(this);
        load = new EngineLoad(index);
        for (int r = 0; r < numRouters; r++) {
            channels.add(new ArrayDeque<>());
        }
    }

    Queue<RoutedRequest> channel(int router) {
        return channels.get(router);
    }

    /** Takes records in, from each channel in turn, while there is room; false if there is none to take. */
    boolean takeIn(long nowNanos) {
        int taken = 0;
        int numEmpty = 0;
        while (numWaiting < engine.limits().maxRunningRequests() && numEmpty < channels.size()) {
            RoutedRequest request = channels.get(nextChannel).poll();
            nextChannel = (nextChannel + 1) % channels.size();
            if (request == null) {
                numEmpty++;
            } else {
                numEmpty = 0;
                submit(request, nowNanos);
                taken++;
            }
        }
        return taken > 0;
    }

    private void submit(RoutedRequest routed, long nowNanos) {
        if (inFlight.isEmpty()) {
            engine.passUntil(nowNanos); // it was idle until now
        }
        load.onReceived(routed);
        InFlightRequest request = new InFlightRequest(routed.request(), nowNanos);
        request.newTokens(routed.newTokens());
        InFlightChoice choice = request.choices().get(0);
        choice.engineId(nextId++);
        inFlight.put(choice.engineId(), request);
        numWaiting++;
        if (!session.submit(choice.toEngine(GenerationRequest.NO_DEADLINE))) {
            throw new IllegalStateException("the engine's queue is full although its own thread submits");
        }
    }

    boolean isBusy() {
        return !inFlight.isEmpty();
    }

    void step() {
        if (!engine.step()) {
            throw new IllegalStateException("the engine idles with " + inFlight.size() + " requests in flight");
        }
    }

    @Override
    public void onStep(StepOutput output) {
        for (int entry = 0; entry < output.numEntries(); entry++) {
            InFlightRequest request = Objects.requireNonNull(inFlight.get(output.requestId(entry)), "an ended request");
            InFlightChoice choice = request.choices().get(0);
            if (choice.isWaiting()) {
                choice.start();
                numWaiting--;
            }
            choice.apply(output, entry);
            FinishReason reason = output.finishReason(entry);
            if (reason != null) {
                if (reason != FinishReason.LENGTH) {
                    throw new IllegalStateException("a simulated answer ended with " + reason);
                }
                inFlight.remove(choice.engineId());
            }
        }
        output.release();
    }

    @Override
    public void onFailure(EngineException cause, long[] inStep) {
        throw cause;
    }

    EngineLoad load() {
        return load;
    }

    Collection<InFlightRequest> inFlight() {
        return inFlight.values();
    }

    long nanoTime() {
        return engine.nanoTime();
    }

    EngineStats stats() {
        return engine.stats();
    }

    @Override
    public void close() {
        session.close();
        engine.close();
    }
}
