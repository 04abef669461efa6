package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LoadBoardTest {

    private static final long FIRST = 71;
    private static final long SECOND = 72;

    private final LoadBoard board = new LoadBoard();

    private long[] exchange(long[] report) {
        LoadBoard.Exchange exchange = new LoadBoard.Exchange();
        return exchange.getResult(exchange.add(report, board));
    }

    @Test
    void tellsARouterWhatIsOutstandingAndWhatComesFromOthers() {
        exchange(LoadBoard.engineReport(0, 500, Map.of(FIRST, 40L, SECOND, 30L)));
        exchange(LoadBoard.engineReport(1, 7, Map.of()));
        exchange(LoadBoard.routerReport(0, 2, FIRST, new long[] {100, 0}));

        assertThat(exchange(LoadBoard.routerReport(1, 2, SECOND, new long[] {35, 9})))
                .containsExactly(500 + 60, 7, 30, 0, 2);
        assertThat(exchange(LoadBoard.routerReport(0, 2, FIRST, new long[] {100, 0})))
                .containsExactly(500 + 5, 7 + 9, 40, 0, 1);
    }

    @Test
    void forgetsRoutersOfBeforeARestartAndARescale() {
        exchange(LoadBoard.routerReport(0, 2, FIRST, new long[] {1_000, 1_000}));
        exchange(LoadBoard.routerReport(1, 2, SECOND, new long[] {1_000, 1_000}));

        assertThat(exchange(LoadBoard.routerReport(0, 1, 73, new long[] {0}))).containsExactly(0, 0, 1);
    }

    @Test
    void agreesWithWhatARouterAndAnEngineCount() {
        RouterLoads loads = new RouterLoads(FIRST, 2);
        PrefixRouter router = new PrefixRouter(EngineKeys.forParallelism(2), loads, new SeenPrefixes());
        EngineLoad[] engines = {new EngineLoad(0), new EngineLoad(1)};
        int[] keys = EngineKeys.forParallelism(2);
        RoutedRequest arrived = router.route(Prompts.prepared(0, "a prompt", Prompts.exactly(3)));
        RoutedRequest onTheWay = router.route(Prompts.prepared(1, "a prompt", Prompts.exactly(3)));
        int engine = arrived.routingKey() == keys[0] ? 0 : 1;
        assertThat(onTheWay.routingKey()).isEqualTo(keys[engine]);
        assertThat(loads.of(engine)).isEqualTo(15);

        engines[engine].onReceived(arrived);
        InFlightRequest inFlight = new InFlightRequest(arrived.request(), 0);
        exchange(engines[engine].report(List.of(inFlight)));
        loads.onReply(exchange(loads.report(0, 1)));
        assertThat(loads.of(engine)).as("one outstanding, one on the way").isEqualTo(15);
        assertThat(loads.mayHaveChanged()).isTrue();

        engines[engine].onReceived(onTheWay);
        exchange(engines[engine].report(List.of()));
        loads.onReply(exchange(loads.report(0, 1)));
        assertThat(loads.total()).isZero();
        assertThat(loads.mayHaveChanged()).isFalse();
    }
}
