"""The schema as SQLAlchemy models, one module a family of tables."""

from worker.models.achievements import AchievementMark, UserAchievement
from worker.models.attempts import AttemptInbox, AttemptRejection, LessonProgress, QuestionAttempt, UserDay, UserStats
from worker.models.audit import AuditBlock, AuditLog
from worker.models.backups import Backup, BackupCheck, BackupDrill
from worker.models.base import Base
from worker.models.billing import Coupon, Invoice, InvoiceLine, PaymentTransaction, Plan, Subscription
from worker.models.content import Lesson, LessonQuestion, Question, QuestionSet, QuestionSetQuestion
from worker.models.events import AppEvent
from worker.models.heartbeats import WorkerHeartbeat
from worker.models.jobs import JobControl, JobOutbox, JobRun, JobRunSummary, JobShard, JobTask
from worker.models.reconciliation import (
    LedgerEntry,
    ReconciliationBreak,
    ReconciliationRun,
    SettlementImport,
    SettlementLine,
    WebhookInbox,
)
from worker.models.search import SearchDirty, SearchState, SearchWord
from worker.models.srs import SrsCard, SrsDueQueue, SrsFit
from worker.models.tryouts import (
    TryoutAnswer,
    TryoutCohortScore,
    TryoutItemCalibration,
    TryoutScoreChange,
    TryoutSession,
    TryoutSignal,
)
from worker.models.users import ApiToken, User, UserPreferences

__all__ = [
    "AchievementMark",
    "ApiToken",
    "AppEvent",
    "AttemptInbox",
    "AttemptRejection",
    "AuditBlock",
    "AuditLog",
    "Backup",
    "BackupCheck",
    "BackupDrill",
    "Base",
    "Coupon",
    "Invoice",
    "InvoiceLine",
    "JobControl",
    "JobOutbox",
    "JobRun",
    "JobRunSummary",
    "JobShard",
    "JobTask",
    "LedgerEntry",
    "Lesson",
    "LessonProgress",
    "LessonQuestion",
    "PaymentTransaction",
    "Plan",
    "Question",
    "QuestionAttempt",
    "QuestionSet",
    "QuestionSetQuestion",
    "ReconciliationBreak",
    "ReconciliationRun",
    "SearchDirty",
    "SearchState",
    "SearchWord",
    "SettlementImport",
    "SettlementLine",
    "SrsCard",
    "SrsDueQueue",
    "SrsFit",
    "Subscription",
    "TryoutAnswer",
    "TryoutCohortScore",
    "TryoutItemCalibration",
    "TryoutScoreChange",
    "TryoutSession",
    "TryoutSignal",
    "User",
    "UserAchievement",
    "UserDay",
    "UserPreferences",
    "UserStats",
    "WebhookInbox",
    "WorkerHeartbeat",
]
