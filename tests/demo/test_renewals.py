from worker.demo.renewals import SUBSCRIBERS, renew_some


def test_the_demonstrations_renewals_are_charged_once_each_and_can_be_repeated(database_url):
    for seed in (1, 2):
        verdicts = renew_some(seed)
        assert [each for each in verdicts if not each.holds] == []
        assert verdicts[0].expected == str(SUBSCRIBERS)
