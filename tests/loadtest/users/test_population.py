"""The users of one process: whose time is up, and how often that is looked at."""

import socket

from loadtest.users.population import LOOKED_AT, SWEEP_SECONDS, Population
from loadtest.users.task import NO_LIMIT
from tests.loadtest.users.test_player import Run


def test_of_many_users_each_is_looked_at_less_often_and_none_is_forgotten() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        run = Run(f"ws://127.0.0.1:{server.getsockname()[1]}/", "lurker", users=0)
    run.population.player("lurker").task.deadline = 0.0
    population: Population = run.population
    few = [population.player("lurker") for _ in range(9)]
    population.sweep()
    assert {player.task.deadline for player in population.players} == {NO_LIMIT}
    few[0].task.deadline = 0.0
    run.until(lambda: few[0].task.deadline == NO_LIMIT)
    many = [population.player("lurker") for _ in range(int(2 * SWEEP_SECONDS * LOOKED_AT))]
    run.until(lambda: population._next_look - run.context.schedule.begin > SWEEP_SECONDS)
    many[7].task.deadline = 0.0
    population.sweep()
    assert many[7].task.deadline == 0.0
    run.until(lambda: many[7].task.deadline == NO_LIMIT)
