-- Returns the counters of learners who have any, in the order of `Counters`, after the learner and the codes held
-- (revoked ones included). A streak is a run of local days: date minus its rank is the same within one. A frozen one is a
-- run and the one before it, if exactly one day lies between them. Days are sorted once; all habits are read from the runs.
-- Cost: linear in the learners' local days, progress, awards and scored tryouts. Carried by pk_user_stats, pk_user_days,
-- uq_user_achievements_code, uq_lesson_progress_user_lesson and idx_tryout_sessions_user.
WITH learner AS MATERIALIZED (
    SELECT user_id, attempts, correct, lessons_completed, cards_mature
    FROM user_stats
    WHERE user_id = ANY (%(user_ids)s::uuid[])
),
day AS (
    SELECT user_id, local_date, attempts, correct, early, late,
           last_value(local_date) OVER by_date - local_date AS age,
           local_date - (row_number() OVER by_date)::integer AS island
    FROM user_days
    WHERE user_id = ANY (%(user_ids)s::uuid[])
    WINDOW by_date AS (
        PARTITION BY user_id ORDER BY local_date ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
),
run AS (
    SELECT user_id,
           island,
           count(*)::integer AS days,
           min(local_date) AS first_on,
           max(local_date) AS last_on,
           min(age) AS age,
           count(*) FILTER (WHERE early > 0) AS early_days,
           count(*) FILTER (WHERE late > 0) AS late_days,
           sum(attempts) FILTER (WHERE age < 7) AS week_attempts,
           sum(correct) FILTER (WHERE age < 7) AS week_correct
    FROM day
    GROUP BY user_id, island
),
run_in_order AS (
    SELECT *,
           first_on - lag(last_on) OVER by_date AS since_last,
           lag(days) OVER by_date AS days_before
    FROM run
    WINDOW by_date AS (PARTITION BY user_id ORDER BY island)
),
habit AS (
    SELECT user_id,
           sum(days) AS active_days,
           max(days) AS longest_streak,
           max(days + CASE WHEN since_last = 2 THEN days_before ELSE 0 END) AS longest_streak_frozen,
           max(days) FILTER (WHERE age = 0) AS current_streak,
           count(*) FILTER (WHERE since_last > 30) AS comebacks,
           sum(early_days)::bigint AS early_days,
           sum(late_days)::bigint AS late_days,
           sum(week_attempts)::bigint AS week_attempts,
           sum(week_correct)::bigint AS week_correct
    FROM run_in_order
    GROUP BY user_id
),
published AS (
    SELECT level, path, unit,
           count(*) OVER (PARTITION BY path, unit) AS in_unit,
           count(*) OVER (PARTITION BY level) AS in_level,
           id
    FROM lessons
    WHERE status = 'published'
),
done AS MATERIALIZED (
    SELECT progress.user_id, published.*
    FROM learner
    JOIN lesson_progress AS progress USING (user_id)
    JOIN published ON published.id = progress.lesson_id
    WHERE learner.lessons_completed > 0 AND progress.completed_at IS NOT NULL
),
unit AS (
    SELECT user_id, count(*) AS completed
    FROM (
        SELECT user_id FROM done
        WHERE unit <> ''
        GROUP BY user_id, path, unit, in_unit
        HAVING count(*) = in_unit
    ) AS whole
    GROUP BY user_id
),
level AS (
    SELECT user_id, count(*) AS completed
    FROM (SELECT user_id FROM done GROUP BY user_id, level, in_level HAVING count(*) = in_level) AS whole
    GROUP BY user_id
),
tryout AS (
    SELECT user_id, count(*) AS perfect
    FROM tryout_sessions
    WHERE user_id = ANY (%(user_ids)s::uuid[]) AND state = 'scored' AND raw_score = max_score
    GROUP BY user_id
),
award AS (
    SELECT user_id, array_agg(code) AS codes
    FROM user_achievements
    WHERE user_id = ANY (%(user_ids)s::uuid[])
    GROUP BY user_id
)
SELECT learner.user_id,
       coalesce(award.codes, '{}') AS held,
       learner.attempts,
       learner.correct,
       learner.lessons_completed,
       coalesce(unit.completed, 0) AS units_completed,
       coalesce(level.completed, 0) AS levels_completed,
       learner.cards_mature,
       coalesce(tryout.perfect, 0) AS perfect_tryouts,
       coalesce(habit.active_days, 0) AS active_days,
       coalesce(habit.longest_streak, 0) AS longest_streak,
       coalesce(habit.longest_streak_frozen, 0) AS longest_streak_frozen,
       coalesce(habit.current_streak, 0) AS current_streak,
       coalesce(habit.comebacks, 0) AS comebacks,
       coalesce(habit.early_days, 0) AS early_days,
       coalesce(habit.late_days, 0) AS late_days,
       coalesce(habit.week_attempts, 0) AS week_attempts,
       coalesce(100 * habit.week_correct / habit.week_attempts, 0) AS week_accuracy
FROM learner
LEFT JOIN habit USING (user_id)
LEFT JOIN unit USING (user_id)
LEFT JOIN level USING (user_id)
LEFT JOIN tryout USING (user_id)
LEFT JOIN award USING (user_id)
